-- What an administrator decides: who may connect, and the municipality's configuration.
SET ROLE turunc_owner;

-- Clients of the bus (a CURVE public key, z85) and of HTTP (a digest of the API key), with rights.
CREATE TABLE turunc.client_grant (
  name           text     PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
  public_key     text     UNIQUE CHECK (length(public_key) = 40),
  api_key_digest bytea    UNIQUE CHECK (length(api_key_digest) = 32),
  verbs          text[]   NOT NULL,               -- publish, subscribe, snapshot, command, internal
  sources        text[]   NOT NULL DEFAULT '{}',  -- event sources it may publish under; '*' = any
  types          text[]   NOT NULL DEFAULT '{}',  -- record and event types, trailing '*' allowed
  departments    text[]   NOT NULL DEFAULT '{}',  -- codes; '*' = all
  personal       smallint NOT NULL DEFAULT 0 CHECK (personal BETWEEN 0 AND 2),  -- none, masked, full
  max_events     integer  NOT NULL DEFAULT 1024 CHECK (max_events BETWEEN 1 AND 65536),
  expires_us     bigint,
  revoked_us     bigint,
  created_us     bigint   NOT NULL,
  CHECK (public_key IS NOT NULL OR api_key_digest IS NOT NULL)
);

-- The municipality's files, kept as they were applied; one version is active at a time.
CREATE TABLE turunc.config_version (
  version    bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  digest     bytea  NOT NULL,
  applied_us bigint NOT NULL,
  applied_by text   NOT NULL
);
CREATE TABLE turunc.config_file (
  version bigint NOT NULL REFERENCES turunc.config_version,
  name    text   NOT NULL,
  content bytea  NOT NULL,
  PRIMARY KEY (version, name)
);
CREATE TABLE turunc.config_active (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  version  bigint  NOT NULL REFERENCES turunc.config_version,
  since_us bigint  NOT NULL
);

GRANT SELECT ON turunc.client_grant, turunc.config_version, turunc.config_file, turunc.config_active
  TO turunc_intake, turunc_router, turunc_notifier, turunc_metrics, turunc_admin;
GRANT INSERT, UPDATE ON turunc.client_grant, turunc.config_version, turunc.config_file, turunc.config_active TO turunc_admin;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA turunc TO turunc_admin;
RESET ROLE;
