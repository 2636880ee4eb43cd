-- Versions of the agent that the server has, one program for each platform.
create table agent_releases (
    platform    text not null,
    version     text not null,
    size_bytes  integer not null,
    sha256      blob not null,
    -- By the release key of the server.
    signature   blob not null,
    import_time integer not null,
    -- 0: it only lies here. 1: devices with an earlier version are to have it. 2: all devices are.
    wanted      integer not null,
    primary key (platform, version)
) strict, without rowid;

-- A platform has one wanted version at most.
create unique index agent_releases_wanted on agent_releases (platform) where wanted > 0;
create index agent_releases_by_version on agent_releases (version, platform);

-- The programs, in parts that fit into memory.
create table agent_release_parts (
    platform text not null,
    version  text not null,
    -- From 0 without gaps.
    position integer not null,
    content  blob not null,
    primary key (platform, version, position),
    foreign key (platform, version) references agent_releases (platform, version) on delete cascade
) strict, without rowid;
