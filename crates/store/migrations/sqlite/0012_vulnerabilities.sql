-- The numbers that were given last, of what the public API knows by a number.
create table agentless_counters (
    name text primary key,
    last integer not null
) strict, without rowid;

-- Vulnerable packages that the newest scan of each asset found.
create table agentless_vulnerabilities (
    -- Given once. A finding that is there again keeps it.
    id           integer primary key,
    instance_id  text not null references agentless_results (instance_id) on delete cascade,
    -- Tells it from the others of its asset: a digest of advisory, package and path.
    finding      blob not null,
    -- Of its result.
    target_type  integer not null,
    -- 1 of Linux, 2 of Windows, 3 of a language
    kind         integer not null,
    -- The CVE, or the advisory where that is about several or none.
    name         text not null,
    alias        text not null,
    -- The CVEs that it is about, separated by commas.
    related      text not null,
    -- 1 asap, 2 later, 3 nntf
    necessity    integer not null,
    -- By CVSS in tenths; -1: none.
    score        integer not null,
    package      text not null,
    -- deb, npm, …
    package_kind text not null,
    version      text not null,
    -- The first version without it; empty: there is none.
    fixed        text not null,
    -- 1: there is one.
    fixable      integer not null,
    path         text not null,
    os           text not null,
    os_release   text not null,
    -- 1: somebody lives with it.
    whitelisted  integer not null,
    first_time   integer not null,
    unique (instance_id, finding)
) strict;

-- What is listed, the worst first, and counted.
create index agentless_vulnerabilities_by_worst
    on agentless_vulnerabilities (whitelisted, kind, necessity, score desc, id, target_type);
create index agentless_vulnerabilities_fixable
    on agentless_vulnerabilities (whitelisted, kind, necessity, score desc, id, target_type) where fixable = 1;
create index agentless_vulnerabilities_by_asset
    on agentless_vulnerabilities (instance_id, whitelisted, kind, necessity, score desc, id);
-- Groups are counted from this index alone.
create index agentless_vulnerabilities_by_name
    on agentless_vulnerabilities
    (whitelisted, kind, name, necessity, score desc, id, fixable, target_type, first_time, instance_id);

-- Vulnerabilities that somebody lives with.
create table agentless_vulnerability_whitelist (
    id     integer primary key,
    kind   integer not null,
    name   text not null,
    alias  text not null,
    -- As it was given.
    target text not null,
    -- 1: on all assets; 0: on those below.
    everywhere integer not null,
    reason text not null,
    unique (kind, name)
) strict;

create table agentless_vulnerability_whitelist_assets (
    entry_id    integer not null references agentless_vulnerability_whitelist (id) on delete cascade,
    instance_id text not null,
    primary key (entry_id, instance_id)
) strict, without rowid;

-- Assets that were scanned, the newest first.
create index agentless_results_by_time on agentless_results (scan_time desc, instance_id);
