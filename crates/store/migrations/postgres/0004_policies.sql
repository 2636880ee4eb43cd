-- Settings that the server proposes to devices.
create table policies (
    uuid         uuid primary key,
    display_name text collate "C" not null,
    description  text collate "C" not null,
    -- An encoded contract Policy of which only the features are set.
    features     bytea not null
);

create table policy_assignments (
    uuid        uuid primary key,
    policy_uuid uuid not null references policies (uuid),
    -- 1: a device, 2: a device group.
    kind        bigint not null,
    target      uuid not null,
    -- From 1 without gaps, for each target.
    rank        bigint not null
);

-- A policy is in the stack of a target once.
create unique index policy_assignments_by_target on policy_assignments (target, kind, policy_uuid);
create index policy_assignments_by_policy on policy_assignments (policy_uuid, uuid);
