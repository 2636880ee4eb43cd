-- What each device said last of the policy that it has. It goes with the device by itself: replicas of the version
-- before delete devices, too, and know nothing of this table.
create table device_policies (
    device_uuid blob primary key references devices (uuid) on delete cascade,
    -- Names the content of the policy.
    generation  blob not null,
    report_time integer not null,
    -- An encoded contract PolicyReport of which only what is not in force is set.
    unapplied   blob not null
) strict, without rowid;

-- Every look of a connected device reads stacks, in the order of their ranks.
create index policy_assignments_by_rank on policy_assignments (target, kind, rank, policy_uuid, uuid);
