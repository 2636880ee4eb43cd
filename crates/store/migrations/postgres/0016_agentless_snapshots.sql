-- Snapshots that agents take of their devices, so that these can be scanned.
create table agentless_snapshots (
    -- The run that takes it.
    run_uuid      uuid primary key,
    device_uuid   uuid not null,
    -- The device task that ordered it, and the trigger of it that leads to the run.
    task_uuid     uuid not null,
    trigger_uuid  uuid not null,
    -- Which it is taken for; it may be gone.
    subtask_uuid  uuid not null,
    -- 1 wanted, 2 kept, 3 unwanted: its archive is to be removed
    state         bigint not null,
    -- Of the archive; 0 until it is there.
    size_bytes    bigint not null,
    -- For how many days it is kept behind its scan.
    keep_days     bigint not null,
    -- 1: it is not where nothing was found.
    release_clean bigint not null,
    create_time   bigint not null,
    -- Null: until its subtask is over.
    keep_until    bigint
);

create index agentless_snapshots_by_subtask on agentless_snapshots (subtask_uuid, run_uuid);
create index agentless_snapshots_by_task on agentless_snapshots (task_uuid);
create index agentless_snapshots_wanted on agentless_snapshots (run_uuid) where state = 1;
create index agentless_snapshots_by_end on agentless_snapshots (keep_until, run_uuid) where keep_until is not null;
create index agentless_snapshots_unwanted on agentless_snapshots (run_uuid) where state = 3;

-- A subtask of a device begins with state 0: it waits for its snapshot.

-- The location of all devices. Its address is one without a folder, until a server says where it keeps them.
insert into agentless_locations (uuid, name, address, sealed_credentials, target_type, create_time, look_time, trouble)
select '00000000-0000-8000-8000-736e61707368',
    case when exists (select 1 from agentless_locations where name = 'device snapshots')
        then 'device snapshots of this server' else 'device snapshots' end,
    '\x2200', null, 1, 0, null,
    'no server keeps snapshots of devices: start one with --device-snapshots FOLDER';
