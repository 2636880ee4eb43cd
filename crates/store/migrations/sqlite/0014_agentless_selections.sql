-- Selections of assets, for a purpose that has a business type.
create table agentless_selections (
    selection_key integer primary key,
    -- 0: those of its targets; 1: all assets.
    has_all       integer not null,
    -- all, linux, windows, or a system in lower case, as debian.
    platform      text not null,
    -- Who made it.
    account_uuid  blob not null,
    -- What a client names so that asking twice makes one selection; empty: it does not.
    client_token  text not null,
    create_time   integer not null
) strict;

create unique index agentless_selections_by_token on agentless_selections (account_uuid, client_token)
    where client_token <> '';

create index agentless_selections_by_time on agentless_selections (create_time, selection_key);

-- The selection of each business type.
create table agentless_selection_types (
    business_type text primary key,
    selection_key integer not null references agentless_selections (selection_key) on delete cascade
) strict, without rowid;

create index agentless_selection_types_by_selection on agentless_selection_types (selection_key);

-- What was taken into selections. Such an asset may be gone.
create table agentless_selection_targets (
    selection_key integer not null references agentless_selections (selection_key) on delete cascade,
    instance_id   text not null,
    primary key (selection_key, instance_id)
) strict, without rowid;
