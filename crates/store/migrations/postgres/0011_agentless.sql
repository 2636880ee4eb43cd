-- Places where targets of agentless scans lie.
create table agentless_locations (
    uuid               uuid primary key,
    name               text collate "C" not null unique,
    -- An encoded guardhouse.agentless.v1.Address: where it is, without secrets.
    address            bytea not null,
    -- What opens it, encrypted with a key of the server; null: nothing is needed.
    sealed_credentials bytea,
    -- Of its assets: 3 are snapshots, 4 images.
    target_type        bigint not null,
    create_time        bigint not null,
    -- When it was last looked at; null: never.
    look_time          bigint,
    -- Why that failed; empty: it did not.
    trouble            text collate "C" not null
);

create index agentless_locations_by_look on agentless_locations (look_time, uuid);

-- What can be scanned there.
create table agentless_assets (
    -- s-… or m-…, from location and name: the same asset has the same id for ever.
    instance_id   text collate "C" primary key,
    location_uuid uuid not null references agentless_locations (uuid) on delete cascade,
    -- In its location.
    name          text collate "C" not null,
    target_type   bigint not null,
    size_bytes    bigint not null,
    -- Another one whenever the content is.
    version       text collate "C" not null,
    -- The system that was found on it, as Debian; empty: it was not scanned, or none was recognised.
    platform      text collate "C" not null,
    -- When it was last there.
    seen_time     bigint not null,
    -- 1: it was not there when its location was last looked at.
    gone          bigint not null,
    unique (location_uuid, name)
);

create index agentless_assets_by_type on agentless_assets (target_type, instance_id);

-- Root tasks: each is a scan of one asset or many.
create table agentless_tasks (
    uuid           uuid primary key,
    name           text collate "C" not null,
    target_type    bigint not null,
    -- Who asked for it; null: a schedule.
    account_uuid   uuid,
    schedule_uuid  uuid,
    -- What a client names so that asking twice makes one task; empty: it does not.
    client_token   text collate "C" not null,
    -- An encoded guardhouse.agentless.v1.ScanOptions.
    options        bytea not null,
    -- 1 running, 2 done, 3 failed, 4 timed out, 5 cancelled: what its subtasks make of it.
    status         bigint not null,
    start_time     bigint not null,
    end_time       bigint,
    -- Of its subtasks: how many there are, how many are over and how.
    subtasks       bigint not null,
    done           bigint not null,
    failed         bigint not null,
    timed_out      bigint not null,
    cancelled      bigint not null,
    -- The sum of the progress of those that are over.
    progress_sum   bigint not null,
    measure_bytes  bigint not null,
    -- 0 none, 1 PREPARED, 2 RUNNING, 3 SUCCESS, 4 TIMEOUT, 5 FAILED
    report_status  bigint not null,
    -- When it is to be made, at the earliest; null: it is there, or not wanted.
    report_due     bigint
);

create index agentless_tasks_by_time on agentless_tasks (start_time, uuid);
create index agentless_tasks_by_end on agentless_tasks (end_time, uuid) where end_time is not null;
create index agentless_tasks_by_report on agentless_tasks (report_due, uuid) where report_due is not null;
create unique index agentless_tasks_by_token on agentless_tasks (account_uuid, client_token) where client_token <> '';

-- One asset of a root task each. Which the queue has for workers, who has one, and what became of it.
create table agentless_subtasks (
    uuid                uuid primary key,
    task_uuid           uuid not null references agentless_tasks (uuid) on delete cascade,
    -- In its task, from 0 without gaps.
    position            bigint not null,
    -- The asset, which may be gone, and what was known of it.
    instance_id         text collate "C" not null,
    location_uuid       uuid not null,
    target_type         bigint not null,
    target_name         text collate "C" not null,
    -- Of the device whose disk it is; empty: of none.
    instance_name       text collate "C" not null,
    internet_ip         text collate "C" not null,
    intranet_ip         text collate "C" not null,
    size_bytes          bigint not null,
    -- 1 queued, 2 leased, 3 over
    state               bigint not null,
    -- As of the task; 1 until it is over.
    status              bigint not null,
    -- 1: nobody wants it any more; its worker is to stop.
    cancel              bigint not null,
    -- 0 to 100
    progress            bigint not null,
    -- {"vul":100,…} of the projects that are run.
    progress_by_project text collate "C" not null,
    -- As of the task, for ever: lists go by it.
    start_time          bigint not null,
    -- Where it stands in the queue: workers take the earliest first.
    queue_time          bigint not null,
    -- When a worker took it for the first time since it was queued.
    begin_time          bigint,
    end_time            bigint,
    -- How many leases ran out.
    attempts            bigint not null,
    -- Counts leases: who has an old one is refused.
    fence               bigint not null,
    worker              text collate "C" not null,
    lease_expire_time   bigint,
    -- When the worker that has it is to be done.
    deadline            bigint,
    -- Why it failed, in a sentence.
    reason              text collate "C" not null,
    measure_bytes       bigint not null,
    report_status       bigint not null,
    report_due          bigint,
    unique (task_uuid, position)
);

-- An asset is scanned once at a time.
create unique index agentless_subtasks_running on agentless_subtasks (instance_id) where state < 3;
create index agentless_subtasks_queued on agentless_subtasks (queue_time, uuid) where state = 1;
create index agentless_subtasks_leased on agentless_subtasks (lease_expire_time, uuid) where state = 2;
create index agentless_subtasks_leased_of on agentless_subtasks (task_uuid) where state = 2;
create index agentless_subtasks_by_status on agentless_subtasks (task_uuid, status, position);
create index agentless_subtasks_by_time on agentless_subtasks (start_time, task_uuid, position desc);
create index agentless_subtasks_by_asset on agentless_subtasks (instance_id, start_time);
create index agentless_subtasks_by_report on agentless_subtasks (report_due, uuid) where report_due is not null;

-- What the newest scan of an asset found, in numbers.
create table agentless_results (
    instance_id   text collate "C" primary key,
    subtask_uuid  uuid not null references agentless_subtasks (uuid) on delete cascade,
    target_type   bigint not null,
    scan_time     bigint not null,
    expire_time   bigint not null,
    -- Findings that count.
    cve           bigint not null,
    sys           bigint not null,
    sca           bigint not null,
    baseline      bigint not null,
    malicious     bigint not null,
    sensitive     bigint not null
);

create index agentless_results_by_subtask on agentless_results (subtask_uuid);
create index agentless_results_by_expiry on agentless_results (expire_time, instance_id);
create index agentless_results_by_type on agentless_results (target_type, instance_id);

-- Reports of tasks and subtasks, in parts that fit into memory.
create table agentless_reports (
    -- Of a task or a subtask.
    owner_uuid uuid not null,
    -- json, html
    format     text collate "C" not null,
    -- From 0 without gaps.
    position   bigint not null,
    -- A part of the document, which as a whole is compressed (zstd).
    content    bytea not null,
    primary key (owner_uuid, format, position)
);
