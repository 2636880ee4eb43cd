-- What the rules of dynamic groups look at, derived from the device. Texts are folded, versions and addresses are keys:
-- everything compares byte by byte. Empty, or 0: not known.
create table device_facts (
    device_uuid              blob primary key references devices (uuid) on delete cascade,
    display_name             text not null,
    original_display_name    text not null,
    operating_system         text not null,
    operating_system_family  integer not null,
    operating_system_edition integer not null,
    operating_system_version blob not null,
    agent_version            blob not null,
    primary_address          blob not null,
    device_type              integer not null,
    is_mobile                integer not null,
    is_master                integer not null
) strict, without rowid;

create table device_components (
    device_uuid blob not null references devices (uuid) on delete cascade,
    position    integer not null,
    name        text not null,
    version     blob not null,
    primary key (device_uuid, position)
) strict, without rowid;

-- Apart from the static groups: a replica that does not know them puts nothing into them.
create table dynamic_groups (
    uuid            blob primary key,
    -- A static or a dynamic group.
    parent          blob not null,
    -- The nearest static group above, whose devices and those of the groups below it can be members.
    base            blob not null references device_groups (uuid) on delete cascade,
    display_name    text not null,
    description     text not null,
    -- JSON, as the model writes it.
    rule            text not null,
    -- The rule looks at the time since the last contact.
    depends_on_time integer not null,
    version         integer not null,
    -- When the rule was last judged for all devices.
    evaluate_time   integer not null,
    device_count    integer not null
) strict, without rowid;

create index dynamic_groups_by_parent on dynamic_groups (parent, uuid);
create index dynamic_groups_by_base on dynamic_groups (base, uuid);
create index dynamic_groups_by_time on dynamic_groups (uuid) where depends_on_time = 1;

-- What the rules pick, of devices that the parents have.
create table dynamic_members (
    group_uuid  blob not null references dynamic_groups (uuid) on delete cascade,
    device_uuid blob not null references devices (uuid) on delete cascade,
    primary key (group_uuid, device_uuid)
) strict, without rowid;

create index dynamic_members_by_device on dynamic_members (device_uuid, group_uuid);
