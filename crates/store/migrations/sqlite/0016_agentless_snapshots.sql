-- Snapshots that agents take of their devices, so that these can be scanned.
create table agentless_snapshots (
    -- The run that takes it.
    run_uuid      blob primary key,
    device_uuid   blob not null,
    -- The device task that ordered it, and the trigger of it that leads to the run.
    task_uuid     blob not null,
    trigger_uuid  blob not null,
    -- Which it is taken for; it may be gone.
    subtask_uuid  blob not null,
    -- 1 wanted, 2 kept, 3 unwanted: its archive is to be removed
    state         integer not null,
    -- Of the archive; 0 until it is there.
    size_bytes    integer not null,
    -- For how many days it is kept behind its scan.
    keep_days     integer not null,
    -- 1: it is not where nothing was found.
    release_clean integer not null,
    create_time   integer not null,
    -- Null: until its subtask is over.
    keep_until    integer
) strict, without rowid;

create index agentless_snapshots_by_subtask on agentless_snapshots (subtask_uuid, run_uuid);
create index agentless_snapshots_by_task on agentless_snapshots (task_uuid);
create index agentless_snapshots_wanted on agentless_snapshots (run_uuid) where state = 1;
create index agentless_snapshots_by_end on agentless_snapshots (keep_until, run_uuid) where keep_until is not null;
create index agentless_snapshots_unwanted on agentless_snapshots (run_uuid) where state = 3;

-- A subtask of a device begins with state 0: it waits for its snapshot.

-- The location of all devices. Its address is one without a folder, until a server says where it keeps them.
insert into agentless_locations (uuid, name, address, sealed_credentials, target_type, create_time, look_time, trouble)
select x'00000000000080008000736e61707368',
    case when exists (select 1 from agentless_locations where name = 'device snapshots')
        then 'device snapshots of this server' else 'device snapshots' end,
    x'2200', null, 1, 0, null,
    'no server keeps snapshots of devices: start one with --device-snapshots FOLDER';
