-- Places where targets of agentless scans lie.
create table agentless_locations (
    uuid               blob primary key,
    name               text not null unique,
    -- An encoded guardhouse.agentless.v1.Address: where it is, without secrets.
    address            blob not null,
    -- What opens it, encrypted with a key of the server; null: nothing is needed.
    sealed_credentials blob,
    -- Of its assets: 3 are snapshots, 4 images.
    target_type        integer not null,
    create_time        integer not null,
    -- When it was last looked at; null: never.
    look_time          integer,
    -- Why that failed; empty: it did not.
    trouble            text not null
) strict, without rowid;

create index agentless_locations_by_look on agentless_locations (look_time, uuid);

-- What can be scanned there.
create table agentless_assets (
    -- s-… or m-…, from location and name: the same asset has the same id for ever.
    instance_id   text primary key,
    location_uuid blob not null references agentless_locations (uuid) on delete cascade,
    -- In its location.
    name          text not null,
    target_type   integer not null,
    size_bytes    integer not null,
    -- Another one whenever the content is.
    version       text not null,
    -- The system that was found on it, as Debian; empty: it was not scanned, or none was recognised.
    platform      text not null,
    -- When it was last there.
    seen_time     integer not null,
    -- 1: it was not there when its location was last looked at.
    gone          integer not null,
    unique (location_uuid, name)
) strict, without rowid;

create index agentless_assets_by_type on agentless_assets (target_type, instance_id);

-- Root tasks: each is a scan of one asset or many.
create table agentless_tasks (
    uuid           blob primary key,
    name           text not null,
    target_type    integer not null,
    -- Who asked for it; null: a schedule.
    account_uuid   blob,
    schedule_uuid  blob,
    -- What a client names so that asking twice makes one task; empty: it does not.
    client_token   text not null,
    -- An encoded guardhouse.agentless.v1.ScanOptions.
    options        blob not null,
    -- 1 running, 2 done, 3 failed, 4 timed out, 5 cancelled: what its subtasks make of it.
    status         integer not null,
    start_time     integer not null,
    end_time       integer,
    -- Of its subtasks: how many there are, how many are over and how.
    subtasks       integer not null,
    done           integer not null,
    failed         integer not null,
    timed_out      integer not null,
    cancelled      integer not null,
    -- The sum of the progress of those that are over.
    progress_sum   integer not null,
    measure_bytes  integer not null,
    -- 0 none, 1 PREPARED, 2 RUNNING, 3 SUCCESS, 4 TIMEOUT, 5 FAILED
    report_status  integer not null,
    -- When it is to be made, at the earliest; null: it is there, or not wanted.
    report_due     integer
) strict, without rowid;

create index agentless_tasks_by_time on agentless_tasks (start_time, uuid);
create index agentless_tasks_by_end on agentless_tasks (end_time, uuid) where end_time is not null;
create index agentless_tasks_by_report on agentless_tasks (report_due, uuid) where report_due is not null;
create unique index agentless_tasks_by_token on agentless_tasks (account_uuid, client_token) where client_token <> '';

-- One asset of a root task each. Which the queue has for workers, who has one, and what became of it.
create table agentless_subtasks (
    uuid                blob primary key,
    task_uuid           blob not null references agentless_tasks (uuid) on delete cascade,
    -- In its task, from 0 without gaps.
    position            integer not null,
    -- The asset, which may be gone, and what was known of it.
    instance_id         text not null,
    location_uuid       blob not null,
    target_type         integer not null,
    target_name         text not null,
    -- Of the device whose disk it is; empty: of none.
    instance_name       text not null,
    internet_ip         text not null,
    intranet_ip         text not null,
    size_bytes          integer not null,
    -- 1 queued, 2 leased, 3 over
    state               integer not null,
    -- As of the task; 1 until it is over.
    status              integer not null,
    -- 1: nobody wants it any more; its worker is to stop.
    cancel              integer not null,
    -- 0 to 100
    progress            integer not null,
    -- {"vul":100,…} of the projects that are run.
    progress_by_project text not null,
    -- As of the task, for ever: lists go by it.
    start_time          integer not null,
    -- Where it stands in the queue: workers take the earliest first.
    queue_time          integer not null,
    -- When a worker took it for the first time since it was queued.
    begin_time          integer,
    end_time            integer,
    -- How many leases ran out.
    attempts            integer not null,
    -- Counts leases: who has an old one is refused.
    fence               integer not null,
    worker              text not null,
    lease_expire_time   integer,
    -- When the worker that has it is to be done.
    deadline            integer,
    -- Why it failed, in a sentence.
    reason              text not null,
    measure_bytes       integer not null,
    report_status       integer not null,
    report_due          integer,
    unique (task_uuid, position)
) strict, without rowid;

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
    instance_id   text primary key,
    subtask_uuid  blob not null references agentless_subtasks (uuid) on delete cascade,
    target_type   integer not null,
    scan_time     integer not null,
    expire_time   integer not null,
    -- Findings that count.
    cve           integer not null,
    sys           integer not null,
    sca           integer not null,
    baseline      integer not null,
    malicious     integer not null,
    sensitive     integer not null
) strict, without rowid;

create index agentless_results_by_subtask on agentless_results (subtask_uuid);
create index agentless_results_by_expiry on agentless_results (expire_time, instance_id);
create index agentless_results_by_type on agentless_results (target_type, instance_id);

-- Reports of tasks and subtasks, in parts that fit into memory.
create table agentless_reports (
    -- Of a task or a subtask.
    owner_uuid blob not null,
    -- json, html
    format     text not null,
    -- From 0 without gaps.
    position   integer not null,
    -- A part of the document, which as a whole is compressed (zstd).
    content    blob not null,
    primary key (owner_uuid, format, position)
) strict, without rowid;
