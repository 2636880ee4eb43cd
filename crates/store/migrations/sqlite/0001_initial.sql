-- Ids are 16-byte blobs, times are microseconds since 1970, enumerations carry the contract's numbers.

-- "Guar": tells the database from those of other programs.
pragma application_id = 0x47756172;

create table device_groups (
    uuid               blob primary key,
    parent             blob references device_groups (uuid),
    display_name       text not null,
    description        text not null,
    external_reference text not null,
    external_type      integer not null,
    version            integer not null,
    -- Devices directly in the group: counting a million of them for every page would take longer than the page.
    device_count       integer not null default 0
) strict, without rowid;

create index device_groups_by_parent on device_groups (parent, uuid);

-- *All* and *Lost & found* exist from the start.
insert into device_groups values
    (x'00000000000000007001000000000001', null, 'All', '', '', 0, 1, 0),
    (x'00000000000000007001000000000002', x'00000000000000007001000000000001', 'Lost & found', '', '', 0, 1, 0);

create table devices (
    uuid                  blob primary key,
    group_uuid            blob not null references device_groups (uuid),
    display_name          text not null,
    original_display_name text not null,
    description           text not null,
    enrolment_status      integer not null,
    functionality_status  integer not null,
    problem_count         integer not null,
    is_muted              integer not null,
    last_sync_time        integer,
    public_ip_address     text not null,
    device_token          text not null,
    -- An encoded contract Device: every attribute that has no column of its own.
    attributes            blob not null,
    version               integer not null
) strict, without rowid;

create index devices_by_group on devices (group_uuid, uuid);
create index devices_by_name on devices (display_name, uuid);
create index devices_by_functionality on devices (functionality_status, uuid);
create index devices_muted on devices (uuid) where is_muted = 1;
-- Placeholders that an enrolling host of the same name may claim.
create index devices_pending_by_name on devices (lower(display_name), uuid) where enrolment_status = 1;

-- What tasks with the same name, description and action share.
create table task_templates (
    uuid         blob primary key,
    -- SHA-256 over display name, description and canonical action.
    digest       blob not null unique,
    display_name text not null,
    description  text not null,
    -- An encoded contract Action.
    action       blob not null
) strict, without rowid;

create table tasks (
    uuid          blob primary key,
    template_uuid blob not null,
    asset_group   text not null,
    source        integer not null,
    create_time   integer not null,
    update_time   integer not null,
    version       integer not null,
    -- A deleted task stays as a mark: its runs remain readable under its uuid.
    delete_time   integer
) strict, without rowid;

create index tasks_live on tasks (uuid) where delete_time is null;
create index tasks_deleted on tasks (delete_time) where delete_time is not null;
create index tasks_by_template on tasks (template_uuid);

create table task_targets (
    task_uuid blob not null references tasks (uuid),
    -- 1: a device, 2: a device group.
    kind      integer not null,
    position  integer not null,
    target    blob not null,
    primary key (task_uuid, kind, position)
) strict, without rowid;

create index task_targets_by_target on task_targets (target, kind, task_uuid);

create table task_triggers (
    uuid        blob primary key,
    task_uuid   blob not null references tasks (uuid),
    position    integer not null,
    create_time integer not null,
    expire_time integer not null
) strict, without rowid;

create index task_triggers_by_task on task_triggers (task_uuid, expire_time);

-- No reference to devices or tasks: runs outlive both.
create table task_runs (
    uuid          blob primary key,
    task_uuid     blob not null,
    trigger_uuid  blob not null,
    template_uuid blob not null,
    device_uuid   blob not null,
    status        integer not null,
    start_time    integer not null,
    end_time      integer,
    expire_time   integer not null,
    -- Handed out, then no longer wanted: the device is asked not to begin it.
    withdrawn     integer not null default 0,
    -- The result as an encoded google.protobuf.Any.
    result        blob,
    unique (trigger_uuid, device_uuid)
) strict, without rowid;

create index task_runs_by_task on task_runs (task_uuid, start_time desc, uuid desc);
create index task_runs_by_task_and_device on task_runs (task_uuid, device_uuid, start_time desc, uuid desc);
create index task_runs_open on task_runs (device_uuid, uuid) where status in (1, 2);

create table accounts (
    uuid          blob primary key,
    name          text not null unique,
    -- A PHC string.
    password_hash text not null,
    -- 0: none, 1: read, 2: full.
    access        integer not null,
    create_time   integer not null
) strict, without rowid;

create table refresh_tokens (
    -- SHA-256 of the token; the token itself is not kept.
    digest       blob primary key,
    -- Every token that descends from one password grant. Reuse of a spent one revokes them all.
    family       blob not null,
    account_uuid blob not null references accounts (uuid),
    expire_time  integer not null,
    spent        integer not null default 0
) strict, without rowid;

create index refresh_tokens_by_family on refresh_tokens (family);
create index refresh_tokens_by_account on refresh_tokens (account_uuid);
create index refresh_tokens_by_expiry on refresh_tokens (expire_time);

-- Secrets of the server itself: signing keys, the certificate authority.
create table keys (
    name        text primary key,
    secret      blob not null,
    certificate blob,
    create_time integer not null
) strict, without rowid;

create table enrolment_tokens (
    id            blob primary key,
    secret_digest blob not null,
    group_uuid    blob not null,
    uses_left     integer not null,
    expire_time   integer not null
) strict, without rowid;

-- The keys of enrolled devices. A certificate counts only while its key is here.
create table device_keys (
    -- SHA-256 of the public key (SubjectPublicKeyInfo).
    digest             blob primary key,
    device_uuid        blob not null references devices (uuid),
    enrolment_token_id blob not null,
    create_time        integer not null
) strict, without rowid;

create index device_keys_by_device on device_keys (device_uuid);

-- One row per device that ever connected; a later connection has a higher epoch.
create table device_links (
    device_uuid blob primary key references devices (uuid),
    epoch       integer not null
) strict, without rowid;
