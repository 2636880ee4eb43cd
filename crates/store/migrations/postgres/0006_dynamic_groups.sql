-- What the rules of dynamic groups look at, derived from the device. Texts are folded, versions and addresses are keys:
-- everything compares byte by byte. Empty, or 0: not known.
create table device_facts (
    device_uuid              uuid primary key references devices (uuid) on delete cascade,
    display_name             text collate "C" not null,
    original_display_name    text collate "C" not null,
    operating_system         text collate "C" not null,
    operating_system_family  bigint not null,
    operating_system_edition bigint not null,
    operating_system_version bytea not null,
    agent_version            bytea not null,
    primary_address          bytea not null,
    device_type              bigint not null,
    is_mobile                bigint not null,
    is_master                bigint not null
);

create table device_components (
    device_uuid uuid not null references devices (uuid) on delete cascade,
    position    bigint not null,
    name        text collate "C" not null,
    version     bytea not null,
    primary key (device_uuid, position)
);

-- Apart from the static groups: a replica that does not know them puts nothing into them.
create table dynamic_groups (
    uuid            uuid primary key,
    -- A static or a dynamic group.
    parent          uuid not null,
    -- The nearest static group above, whose devices and those of the groups below it can be members.
    base            uuid not null references device_groups (uuid) on delete cascade,
    display_name    text collate "C" not null,
    description     text collate "C" not null,
    -- JSON, as the model writes it.
    rule            text collate "C" not null,
    -- The rule looks at the time since the last contact.
    depends_on_time bigint not null,
    version         bigint not null,
    -- When the rule was last judged for all devices.
    evaluate_time   bigint not null,
    device_count    bigint not null
);

create index dynamic_groups_by_parent on dynamic_groups (parent, uuid);
create index dynamic_groups_by_base on dynamic_groups (base, uuid);
create index dynamic_groups_by_time on dynamic_groups (uuid) where depends_on_time = 1;

-- What the rules pick, of devices that the parents have.
create table dynamic_members (
    group_uuid  uuid not null references dynamic_groups (uuid) on delete cascade,
    device_uuid uuid not null references devices (uuid) on delete cascade,
    primary key (group_uuid, device_uuid)
);

create index dynamic_members_by_device on dynamic_members (device_uuid, group_uuid);
