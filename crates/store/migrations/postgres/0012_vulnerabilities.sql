-- The numbers that were given last, of what the public API knows by a number.
create table agentless_counters (
    name text collate "C" primary key,
    last bigint not null
);

-- Vulnerable packages that the newest scan of each asset found.
create table agentless_vulnerabilities (
    -- Given once. A finding that is there again keeps it.
    id           bigint primary key,
    instance_id  text collate "C" not null references agentless_results (instance_id) on delete cascade,
    -- Tells it from the others of its asset: a digest of advisory, package and path.
    finding      uuid not null,
    -- Of its result.
    target_type  bigint not null,
    -- 1 of Linux, 2 of Windows, 3 of a language
    kind         bigint not null,
    -- The CVE, or the advisory where that is about several or none.
    name         text collate "C" not null,
    alias        text collate "C" not null,
    -- The CVEs that it is about, separated by commas.
    related      text collate "C" not null,
    -- 1 asap, 2 later, 3 nntf
    necessity    bigint not null,
    -- By CVSS in tenths; -1: none.
    score        bigint not null,
    package      text collate "C" not null,
    -- deb, npm, …
    package_kind text collate "C" not null,
    version      text collate "C" not null,
    -- The first version without it; empty: there is none.
    fixed        text collate "C" not null,
    -- 1: there is one.
    fixable      bigint not null,
    path         text collate "C" not null,
    os           text collate "C" not null,
    os_release   text collate "C" not null,
    -- 1: somebody lives with it.
    whitelisted  bigint not null,
    first_time   bigint not null,
    unique (instance_id, finding)
);

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
    id     bigint primary key,
    kind   bigint not null,
    name   text collate "C" not null,
    alias  text collate "C" not null,
    -- As it was given.
    target text collate "C" not null,
    -- 1: on all assets; 0: on those below.
    everywhere bigint not null,
    reason text collate "C" not null,
    unique (kind, name)
);

create table agentless_vulnerability_whitelist_assets (
    entry_id    bigint not null references agentless_vulnerability_whitelist (id) on delete cascade,
    instance_id text collate "C" not null,
    primary key (entry_id, instance_id)
);

-- Assets that were scanned, the newest first.
create index agentless_results_by_time on agentless_results (scan_time desc, instance_id);
