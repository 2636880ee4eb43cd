-- Scans without an agent that start by themselves.
create table agentless_schedules (
    uuid           uuid primary key,
    name           text collate "C" not null,
    -- An encoded guardhouse.agentless.v1.AssetSelection.
    selection      bytea not null,
    -- 0: the selection names the assets that fitted when it was made.
    new_assets     bigint not null,
    -- An encoded guardhouse.agentless.v1.ScanOptions.
    options        bytea not null,
    -- An encoded guardhouse.agentless.v1.Cadence.
    cadence        bytea not null,
    -- Counts what changes it: who has an old one is refused.
    version        bigint not null,
    create_time    bigint not null,
    -- When it starts next; null: it is not enabled.
    next_time      bigint,
    -- When it was due last, which task that led to, and what else there is to know of it.
    last_time      bigint,
    last_task_uuid uuid,
    last_note      text collate "C" not null
);

create index agentless_schedules_by_next on agentless_schedules (next_time, uuid) where next_time is not null;

-- Addresses that are told when scans end.
create table agentless_webhooks (
    uuid          uuid primary key,
    url           text collate "C" not null,
    -- What events are signed with, encrypted with a key of the server.
    sealed_secret bytea not null,
    -- Which events, added up: 1 a task is over, 2 a subtask failed.
    events        bigint not null,
    create_time   bigint not null
);

-- Events on their way to webhooks, and those that went it.
create table agentless_deliveries (
    uuid         uuid primary key,
    webhook_uuid uuid not null references agentless_webhooks (uuid) on delete cascade,
    event        bigint not null,
    -- What is told; the task may be gone when it is.
    task_uuid    uuid not null,
    task_name    text collate "C" not null,
    -- Of a subtask alone.
    subtask_uuid uuid,
    instance_id  text collate "C" not null,
    -- As of tasks.
    status       bigint not null,
    reason       text collate "C" not null,
    create_time  bigint not null,
    -- 1 waiting, 2 delivered, 3 given up
    state        bigint not null,
    -- How often it was tried, and when it is next; null: it is over.
    tries        bigint not null,
    next_time    bigint,
    end_time     bigint,
    -- What the receiver answered last, as an HTTP status; 0: it did not.
    last_status  bigint not null,
    -- Why the last try failed, in a sentence.
    trouble      text collate "C" not null
);

create index agentless_deliveries_by_next on agentless_deliveries (next_time, uuid) where next_time is not null;
create index agentless_deliveries_by_webhook on agentless_deliveries (webhook_uuid, create_time, uuid);
create index agentless_deliveries_by_end on agentless_deliveries (end_time, uuid) where end_time is not null;

-- The content of the asset when its scan was asked for, as agentless_assets.version; empty: it was not known.
alter table agentless_subtasks add column asset_version text collate "C" not null default '';

create index agentless_assets_by_location on agentless_assets (location_uuid, instance_id);
create index agentless_tasks_by_schedule on agentless_tasks (schedule_uuid, start_time, uuid)
    where schedule_uuid is not null;
