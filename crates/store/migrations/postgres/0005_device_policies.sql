-- What each device said last of the policy that it has. It goes with the device by itself: replicas of the version
-- before delete devices, too, and know nothing of this table.
create table device_policies (
    device_uuid uuid primary key references devices (uuid) on delete cascade,
    -- Names the content of the policy.
    generation  bytea not null,
    report_time bigint not null,
    -- An encoded contract PolicyReport of which only what is not in force is set.
    unapplied   bytea not null
);

-- Every look of a connected device reads stacks, in the order of their ranks.
create index policy_assignments_by_rank on policy_assignments (target, kind, rank, policy_uuid, uuid);
