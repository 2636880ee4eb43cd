-- Scans without an agent that start by themselves.
create table agentless_schedules (
    uuid           blob primary key,
    name           text not null,
    -- An encoded guardhouse.agentless.v1.AssetSelection.
    selection      blob not null,
    -- 0: the selection names the assets that fitted when it was made.
    new_assets     integer not null,
    -- An encoded guardhouse.agentless.v1.ScanOptions.
    options        blob not null,
    -- An encoded guardhouse.agentless.v1.Cadence.
    cadence        blob not null,
    -- Counts what changes it: who has an old one is refused.
    version        integer not null,
    create_time    integer not null,
    -- When it starts next; null: it is not enabled.
    next_time      integer,
    -- When it was due last, which task that led to, and what else there is to know of it.
    last_time      integer,
    last_task_uuid blob,
    last_note      text not null
) strict, without rowid;

create index agentless_schedules_by_next on agentless_schedules (next_time, uuid) where next_time is not null;

-- Addresses that are told when scans end.
create table agentless_webhooks (
    uuid          blob primary key,
    url           text not null,
    -- What events are signed with, encrypted with a key of the server.
    sealed_secret blob not null,
    -- Which events, added up: 1 a task is over, 2 a subtask failed.
    events        integer not null,
    create_time   integer not null
) strict, without rowid;

-- Events on their way to webhooks, and those that went it.
create table agentless_deliveries (
    uuid         blob primary key,
    webhook_uuid blob not null references agentless_webhooks (uuid) on delete cascade,
    event        integer not null,
    -- What is told; the task may be gone when it is.
    task_uuid    blob not null,
    task_name    text not null,
    -- Of a subtask alone.
    subtask_uuid blob,
    instance_id  text not null,
    -- As of tasks.
    status       integer not null,
    reason       text not null,
    create_time  integer not null,
    -- 1 waiting, 2 delivered, 3 given up
    state        integer not null,
    -- How often it was tried, and when it is next; null: it is over.
    tries        integer not null,
    next_time    integer,
    end_time     integer,
    -- What the receiver answered last, as an HTTP status; 0: it did not.
    last_status  integer not null,
    -- Why the last try failed, in a sentence.
    trouble      text not null
) strict, without rowid;

create index agentless_deliveries_by_next on agentless_deliveries (next_time, uuid) where next_time is not null;
create index agentless_deliveries_by_webhook on agentless_deliveries (webhook_uuid, create_time, uuid);
create index agentless_deliveries_by_end on agentless_deliveries (end_time, uuid) where end_time is not null;

-- The content of the asset when its scan was asked for, as agentless_assets.version; empty: it was not known.
alter table agentless_subtasks add column asset_version text not null default '';

create index agentless_assets_by_location on agentless_assets (location_uuid, instance_id);
create index agentless_tasks_by_schedule on agentless_tasks (schedule_uuid, start_time, uuid)
    where schedule_uuid is not null;
