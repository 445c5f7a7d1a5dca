// The build puts Pyodide next to the modules; in the repository it is a package.
declare module "*/pyodide/pyodide.mjs" {
  export { loadPyodide } from "pyodide";
}
