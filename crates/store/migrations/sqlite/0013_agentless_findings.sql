-- Malicious files that the newest scan of an asset found. They go with its result.
create table agentless_malicious_files (
    id             integer primary key,
    instance_id    text not null references agentless_results (instance_id) on delete cascade,
    -- In hexadecimal, lower case.
    md5            text not null,
    sha256         text not null,
    path           text not null,
    -- The partition on which it lies, as /dev/vda1.
    disk_partition text not null,
    -- What it is taken for.
    name           text not null,
    -- 1 a web shell, 2 a program, 3 a script
    type           integer not null,
    -- 1 serious, 2 suspicious, 3 remind
    level          integer not null,
    -- In JSON: which of its bytes show it; empty: unknown.
    highlight      text not null,
    -- In JSON: what else there is to say, a list of objects.
    details        text not null,
    first_time     integer not null,
    latest_time    integer not null,
    -- 0 open, 1 handled, 2 whitelisted, 3 ignored, 4 misjudged
    handling       integer not null,
    -- What was last done about it, as addWhitelist; empty: nothing.
    operation      text not null,
    operate_time   integer,
    -- The rule that whitelisted it; null: none did.
    rule_id        integer
) strict;

create index agentless_malicious_files_by_asset on agentless_malicious_files (instance_id, id);
create index agentless_malicious_files_by_md5 on agentless_malicious_files (md5, id);
create index agentless_malicious_files_by_rule on agentless_malicious_files (rule_id) where rule_id is not null;

-- What people write about malicious files.
create table agentless_malicious_notes (
    id          integer primary key,
    file_id     integer not null references agentless_malicious_files (id) on delete cascade,
    note        text not null,
    create_time integer not null
) strict;

create index agentless_malicious_notes_by_file on agentless_malicious_notes (file_id, id);

-- Rules that take files for good.
create table agentless_malicious_rules (
    id          integer primary key,
    -- Files with this MD5, in hexadecimal, lower case.
    md5         text not null unique,
    remark      text not null,
    create_time integer not null,
    update_time integer not null
) strict;

-- Content that people took for good where it was found: equal files that are found later are good, too.
create table agentless_malicious_samples (
    sha256      text primary key,
    create_time integer not null
) strict, without rowid;

-- Sensitive files that the newest scan of an asset found. They go with its result.
create table agentless_sensitive_files (
    id          integer primary key,
    instance_id text not null references agentless_results (instance_id) on delete cascade,
    -- The rule that found it, as ssh_private_key.
    rule_key    text not null,
    -- 1 high, 2 medium, 3 low
    risk_level  integer not null,
    path        text not null,
    md5         text not null,
    -- What was found in it.
    prompt      text not null,
    -- 0 open, 1 ignored, 2 misjudged
    status      integer not null,
    first_time  integer not null,
    latest_time integer not null
) strict;

create index agentless_sensitive_files_by_asset on agentless_sensitive_files (instance_id, id);
create index agentless_sensitive_files_by_rule on agentless_sensitive_files (rule_key, id);

-- What checks of the configuration look for.
create table agentless_check_items (
    check_id    integer primary key,
    item        text not null,
    -- 1 high, 2 medium, 3 low
    level       integer not null,
    -- What it is about, as Identity authentication.
    type        text not null,
    -- The baseline to which it belongs: its number, its name, and the key and the name of its category.
    risk_id     integer not null,
    risk_name   text not null,
    risk_type   text not null,
    alias       text not null,
    description text not null,
    advice      text not null
) strict;

-- How they turned out in the newest scan of an asset. They go with its result.
create table agentless_checks (
    instance_id text not null references agentless_results (instance_id) on delete cascade,
    check_id    integer not null references agentless_check_items (check_id),
    -- 1 failed, 2 verifying, 3 passed, 6 ignored, 7 fixing, 8 fixed
    status      integer not null,
    -- What was found, where it failed.
    prompt      text not null,
    first_time  integer not null,
    latest_time integer not null,
    primary key (instance_id, check_id)
) strict, without rowid;

create index agentless_checks_by_check on agentless_checks (check_id, instance_id);
