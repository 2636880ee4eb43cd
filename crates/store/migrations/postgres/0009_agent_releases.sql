-- Versions of the agent that the server has, one program for each platform.
create table agent_releases (
    platform    text collate "C" not null,
    version     text collate "C" not null,
    size_bytes  bigint not null,
    sha256      bytea not null,
    -- By the release key of the server.
    signature   bytea not null,
    import_time bigint not null,
    -- 0: it only lies here. 1: devices with an earlier version are to have it. 2: all devices are.
    wanted      bigint not null,
    primary key (platform, version)
);

-- A platform has one wanted version at most.
create unique index agent_releases_wanted on agent_releases (platform) where wanted > 0;
create index agent_releases_by_version on agent_releases (version, platform);

-- The programs, in parts that fit into memory.
create table agent_release_parts (
    platform text collate "C" not null,
    version  text collate "C" not null,
    -- From 0 without gaps.
    position bigint not null,
    content  bytea not null,
    primary key (platform, version, position),
    foreign key (platform, version) references agent_releases (platform, version) on delete cascade
);
