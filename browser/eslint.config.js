import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["**/dist/**"] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2025, sourceType: "module", globals: globals.browser },
    rules: {
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-implicit-coercion": "error",
      "no-console": "error",
    },
  },
  {
    files: ["**/worker.js", "**/worker/**"],
    languageOptions: { globals: globals.worker },
  },
  {
    files: ["**/build/**", "**/eslint.config.js"],
    languageOptions: { globals: globals.node },
    rules: { "no-console": "off" },
  },
];
