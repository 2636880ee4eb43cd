-- Settings that the server proposes to devices.
create table policies (
    uuid         blob primary key,
    display_name text not null,
    description  text not null,
    -- An encoded contract Policy of which only the features are set.
    features     blob not null
) strict, without rowid;

create table policy_assignments (
    uuid        blob primary key,
    policy_uuid blob not null references policies (uuid),
    -- 1: a device, 2: a device group.
    kind        integer not null,
    target      blob not null,
    -- From 1 without gaps, for each target.
    rank        integer not null
) strict, without rowid;

-- A policy is in the stack of a target once.
create unique index policy_assignments_by_target on policy_assignments (target, kind, policy_uuid);
create index policy_assignments_by_policy on policy_assignments (policy_uuid, uuid);
