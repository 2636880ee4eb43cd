-- Keys with which programs sign their requests. Each belongs to an account and goes with it.
create table access_keys (
    -- The public part, which requests name.
    id            text primary key,
    account_uuid  blob not null references accounts (uuid) on delete cascade,
    -- Encrypted with a key of the server: signatures are checked with the secret itself, so a digest would not do.
    sealed_secret blob not null,
    description   text not null,
    -- 0: requests with it are refused.
    active        integer not null,
    create_time   integer not null,
    -- At most an hour behind the last request that was signed with it; null: there was none.
    use_time      integer,
    -- SHA-256 of the security token that goes with a temporary key; null: the key is not temporary.
    token_digest  blob,
    -- A temporary key is refused from then on; null: the key is not temporary.
    expire_time   integer
) strict, without rowid;

create index access_keys_by_account on access_keys (account_uuid, id);
create index access_keys_by_expiry on access_keys (expire_time) where expire_time is not null;

-- What makes each signed request one of its own: none is accepted twice.
create table request_nonces (
    -- SHA-256 over access key and nonce.
    digest      blob primary key,
    -- The request is too old to be accepted again from then on.
    expire_time integer not null
) strict, without rowid;

create index request_nonces_by_expiry on request_nonces (expire_time);
