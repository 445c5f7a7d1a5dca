-- A store as it was before stores had versions: zoe, who is signed in and has consented, and two names that look alike.
BEGIN TRANSACTION;
CREATE TABLE accounts (
	id INTEGER NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	password_hash TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "accounts" VALUES(1,'zoe','$argon2id$v=19$m=8,t=1,p=1$Keppjul14wE$Vt/ICw');
INSERT INTO "accounts" VALUES(2,'alan','$argon2id$v=19$m=8,t=1,p=1$AwsYzHDIO0o$bbg7Dw');
INSERT INTO "accounts" VALUES(3,'a1an','$argon2id$v=19$m=8,t=1,p=1$lELhJNLzE5Q$2+pJWQ');
CREATE TABLE codes (
	code_hash VARCHAR(64) NOT NULL, 
	account INTEGER NOT NULL, 
	origin VARCHAR(300) NOT NULL, 
	challenge VARCHAR(64) NOT NULL, 
	expires_at FLOAT NOT NULL, 
	PRIMARY KEY (code_hash), 
	FOREIGN KEY(account) REFERENCES accounts (id) ON DELETE CASCADE
);
CREATE TABLE consents (
	account INTEGER NOT NULL, 
	origin VARCHAR(300) NOT NULL, 
	PRIMARY KEY (account, origin), 
	FOREIGN KEY(account) REFERENCES accounts (id) ON DELETE CASCADE
);
INSERT INTO "consents" VALUES(1,'https://perc.example');
CREATE TABLE sessions (
	token_hash VARCHAR(64) NOT NULL, 
	account INTEGER NOT NULL, 
	origin VARCHAR(300) NOT NULL, 
	expires_at FLOAT NOT NULL, 
	PRIMARY KEY (token_hash), 
	FOREIGN KEY(account) REFERENCES accounts (id) ON DELETE CASCADE
);
INSERT INTO "sessions" VALUES('13c49aa4e416f7a6e0f164f9aa999c65b7fbfb6d4d06329a2602997f8cf10985',1,'https://perc.example',4000000000.0);
CREATE TABLE sign_ins (
	token_hash VARCHAR(64) NOT NULL, 
	account INTEGER NOT NULL, 
	expires_at FLOAT NOT NULL, 
	PRIMARY KEY (token_hash), 
	FOREIGN KEY(account) REFERENCES accounts (id) ON DELETE CASCADE
);
INSERT INTO "sign_ins" VALUES('9bdf10a691a1cfda89d9ff66629d1609ab176cec9b6a3146a8929f28937a9fce',1,4000000000.0);
CREATE TABLE signing_keys (
	kid VARCHAR(64) NOT NULL, 
	private_key TEXT NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (kid)
);
INSERT INTO "signing_keys" VALUES('old-key','-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQghEM3NcCXBNRHbzlB
ZXKL11T5Z/Z0SdQY8nBE0wA+R7qhRANCAAS3e5v2T+yp+hKmMNss+n1eZRE0OT4I
1NNWY27gpwAB7gyj3BCBE7gcn4LsqNYKzLqSNqGto+SgXLivlHcwtptR
-----END PRIVATE KEY-----
',1799999940.0);
COMMIT;
