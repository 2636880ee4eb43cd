-- Times are microseconds since 1970, flags are 0 or 1, enumerations carry the contract's numbers: the same as on
-- SQLite, so that the same statements serve both. Texts are ordered by their bytes, as there.

create table device_groups (
    uuid               uuid primary key,
    parent             uuid references device_groups (uuid),
    display_name       text collate "C" not null,
    description        text collate "C" not null,
    external_reference text collate "C" not null,
    external_type      bigint not null,
    version            bigint not null,
    -- Devices directly in the group: counting a million of them for every page would take longer than the page.
    device_count       bigint not null default 0
);

create index device_groups_by_parent on device_groups (parent, uuid);

-- *All* and *Lost & found* exist from the start.
insert into device_groups values
    ('00000000-0000-0000-7001-000000000001', null, 'All', '', '', 0, 1, 0),
    ('00000000-0000-0000-7001-000000000002', '00000000-0000-0000-7001-000000000001', 'Lost & found', '', '', 0, 1, 0);

create table devices (
    uuid                  uuid primary key,
    group_uuid            uuid not null references device_groups (uuid),
    display_name          text collate "C" not null,
    original_display_name text collate "C" not null,
    description           text collate "C" not null,
    enrolment_status      bigint not null,
    functionality_status  bigint not null,
    problem_count         bigint not null,
    is_muted              bigint not null,
    last_sync_time        bigint,
    public_ip_address     text collate "C" not null,
    device_token          text collate "C" not null,
    -- An encoded contract Device: every attribute that has no column of its own.
    attributes            bytea not null,
    version               bigint not null
);

create index devices_by_group on devices (group_uuid, uuid);
create index devices_by_name on devices (display_name, uuid);
create index devices_by_functionality on devices (functionality_status, uuid);
create index devices_muted on devices (uuid) where is_muted = 1;
-- Placeholders that an enrolling host of the same name may claim.
create index devices_pending_by_name on devices (lower(display_name), uuid) where enrolment_status = 1;

-- What tasks with the same name, description and action share.
create table task_templates (
    uuid         uuid primary key,
    -- SHA-256 over display name, description and canonical action.
    digest       bytea not null unique,
    display_name text collate "C" not null,
    description  text collate "C" not null,
    -- An encoded contract Action.
    action       bytea not null
);

create table tasks (
    uuid          uuid primary key,
    template_uuid uuid not null,
    asset_group   text collate "C" not null,
    source        bigint not null,
    create_time   bigint not null,
    update_time   bigint not null,
    version       bigint not null,
    -- A deleted task stays as a mark: its runs remain readable under its uuid.
    delete_time   bigint
);

create index tasks_live on tasks (uuid) where delete_time is null;
create index tasks_deleted on tasks (delete_time) where delete_time is not null;
create index tasks_by_template on tasks (template_uuid);

create table task_targets (
    task_uuid uuid not null references tasks (uuid),
    -- 1: a device, 2: a device group.
    kind      bigint not null,
    position  bigint not null,
    target    uuid not null,
    primary key (task_uuid, kind, position)
);

create index task_targets_by_target on task_targets (target, kind, task_uuid);

create table task_triggers (
    uuid        uuid primary key,
    task_uuid   uuid not null references tasks (uuid),
    position    bigint not null,
    create_time bigint not null,
    expire_time bigint not null
);

create index task_triggers_by_task on task_triggers (task_uuid, expire_time);

-- No reference to devices or tasks: runs outlive both.
create table task_runs (
    uuid          uuid primary key,
    task_uuid     uuid not null,
    trigger_uuid  uuid not null,
    template_uuid uuid not null,
    device_uuid   uuid not null,
    status        bigint not null,
    start_time    bigint not null,
    end_time      bigint,
    expire_time   bigint not null,
    -- Handed out, then no longer wanted: the device is asked not to begin it.
    withdrawn     bigint not null default 0,
    -- The result as an encoded google.protobuf.Any.
    result        bytea,
    unique (trigger_uuid, device_uuid)
);

create index task_runs_by_task on task_runs (task_uuid, start_time desc, uuid desc);
create index task_runs_by_task_and_device on task_runs (task_uuid, device_uuid, start_time desc, uuid desc);
create index task_runs_open on task_runs (device_uuid, uuid) where status in (1, 2);

create table accounts (
    uuid          uuid primary key,
    name          text collate "C" not null unique,
    -- A PHC string.
    password_hash text collate "C" not null,
    -- 0: none, 1: read, 2: full.
    access        bigint not null,
    create_time   bigint not null
);

create table refresh_tokens (
    -- SHA-256 of the token; the token itself is not kept.
    digest       bytea primary key,
    -- Every token that descends from one password grant. Reuse of a spent one revokes them all.
    family       uuid not null,
    account_uuid uuid not null references accounts (uuid),
    expire_time  bigint not null,
    spent        bigint not null default 0
);

create index refresh_tokens_by_family on refresh_tokens (family);
create index refresh_tokens_by_account on refresh_tokens (account_uuid);
create index refresh_tokens_by_expiry on refresh_tokens (expire_time);

-- Secrets of the server itself: signing keys, the certificate authority.
create table keys (
    name        text collate "C" primary key,
    secret      bytea not null,
    certificate bytea,
    create_time bigint not null
);

create table enrolment_tokens (
    id            bytea primary key,
    secret_digest bytea not null,
    group_uuid    uuid not null,
    uses_left     bigint not null,
    expire_time   bigint not null
);

-- The keys of enrolled devices. A certificate counts only while its key is here.
create table device_keys (
    -- SHA-256 of the public key (SubjectPublicKeyInfo).
    digest             bytea primary key,
    device_uuid        uuid not null references devices (uuid),
    enrolment_token_id bytea not null,
    create_time        bigint not null
);

create index device_keys_by_device on device_keys (device_uuid);

-- One row per device that ever connected; a later connection has a higher epoch.
create table device_links (
    device_uuid uuid primary key references devices (uuid),
    epoch       bigint not null
);
