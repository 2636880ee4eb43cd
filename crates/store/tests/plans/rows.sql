-- A house in small: enough rows for PostgreSQL to plan as it does in a large one. Ids are spread as random ones are.

insert into device_groups (uuid, parent, display_name, description, external_reference, external_type, version, device_count)
select md5('group ' || n)::uuid,
       case when n <= 20 then '00000000-0000-0000-7001-000000000001' else md5('group ' || n % 20 + 1)::uuid end,
       'group ' || n, '', '', 0, 1, 67
from generate_series(1, 300) n;

insert into devices
select md5('device ' || n)::uuid, md5('group ' || n % 300 + 1)::uuid, 'device ' || n, 'host ' || n, '',
       case when n % 50 = 0 then 1 else 2 end, case when n % 100 = 0 then 3 when n % 20 = 0 then 2 else 1 end,
       n % 3, case when n % 100 = 1 then 1 else 0 end, 1700000000000000 + n, '192.0.2.1', md5(n::text), '\x00', 1
from generate_series(1, 20000) n;

insert into task_templates
select md5('template ' || n)::uuid, sha256(n::text::bytea), 'template ' || n, '', '\x00'
from generate_series(1, 1000) n;

insert into tasks
select md5('task ' || n)::uuid, md5('template ' || n % 1000 + 1)::uuid, '', 0, 1700000000000000 + n,
       1700000000000000 + n, 1, case when n % 10 = 0 then 1700000000000000 + n end
from generate_series(1, 5000) n;

insert into task_targets
select md5('task ' || n)::uuid, 1, 0, md5('device ' || n * 3)::uuid from generate_series(1, 5000) n where n % 10 <> 0
union all
select md5('task ' || n)::uuid, 2, 0, md5('group ' || n % 300 + 1)::uuid from generate_series(1, 5000) n where n % 10 <> 0;

insert into task_triggers
select md5('trigger ' || n)::uuid, md5('task ' || n % 5000 + 1)::uuid, n / 5000, 1700000000000000 + n,
       1700000000000000 + n * 1000000000::bigint
from generate_series(1, 9999) n where n % 10 <> 9;

insert into task_runs
select md5('run ' || n)::uuid, md5('task ' || n % 300 + 2)::uuid, md5('trigger ' || n % 300 + 1)::uuid,
       md5('template ' || n % 300 + 1)::uuid, md5('device ' || n % 300 + n / 300 * 150)::uuid,
       case when n % 20 = 0 then 1 when n % 20 = 1 then 2 else 4 end, 1700000000000000 + n * 1000000::bigint,
       case when n % 20 > 1 then 1700000000000000 + n * 1000000::bigint end, 1700000000000000 + n * 1000000::bigint, 0, null
from generate_series(1, 30000) n;

insert into accounts
select md5('account ' || n)::uuid, 'account ' || n, '', 2, 0 from generate_series(1, 20) n;

insert into refresh_tokens
select sha256(n::text::bytea), md5('family ' || n / 10)::uuid, md5('account ' || n % 20 + 1)::uuid,
       1700000000000000 + n * 1000000::bigint, 1
from generate_series(1, 5000) n;

insert into keys select 'key ' || n, '\x00', null, 0 from generate_series(1, 3) n;

insert into enrolment_tokens
select substring(sha256(n::text::bytea) for 8), sha256(n::text::bytea), md5('group ' || n % 300 + 1)::uuid, 10,
       1700000000000000
from generate_series(1, 2000) n;

insert into device_keys
select sha256(n::text::bytea), md5('device ' || n)::uuid, '\x00', 0 from generate_series(1, 20000) n;

insert into device_links select md5('device ' || n)::uuid, 1 from generate_series(1, 20000) n;

insert into leases select 'duty ' || n, md5('holder')::uuid, 1, 0 from generate_series(1, 3) n;

insert into responses
select md5('response ' || n)::uuid, sha256(n::text::bytea), case when n % 10 <> 0 then '\x00'::bytea end,
       1700000000000000 + n * 1000000::bigint
from generate_series(1, 5000) n;

insert into policies
select md5('policy ' || n)::uuid, 'policy ' || n, '', decode(repeat(md5(n::text), 60), 'hex') from generate_series(1, 1000) n;

insert into policy_assignments
select md5('assignment ' || n)::uuid, md5('policy ' || n % 1000 + 1)::uuid, 1, md5('device ' || n / 10)::uuid, n % 10 + 1
from generate_series(1, 9999) n
union all
select md5('assignment of group ' || n)::uuid, md5('policy ' || n % 1000 + 1)::uuid, 2, md5('group ' || n / 10)::uuid,
       n % 10 + 1
from generate_series(10, 2999) n;

insert into device_policies
select md5('device ' || n)::uuid, sha256((n % 100)::text::bytea), 1700000000000000 + n, '\x'
from generate_series(1, 20000) n;
insert into device_facts
select md5('device ' || n)::uuid, 'device ' || n, 'host ' || n, 'debian', 2, 1, '\x0400013102', '\x0400013102', '\x04c0000201', 5, 0, 0
from generate_series(1, 20000) n;

insert into device_components
select md5('device ' || n)::uuid, 0, 'agent', '\x0400013102' from generate_series(1, 20000) n;

insert into dynamic_groups
select md5('dynamic group ' || n)::uuid, md5('group ' || n)::uuid, md5('group ' || n)::uuid, 'dynamic group ' || n, '',
       '{"all":[]}', n % 10 / 9, 1, 1700000000000000, 100
from generate_series(1, 100) n;

insert into dynamic_members
select distinct md5('dynamic group ' || n % 100 + 1)::uuid, md5('device ' || n)::uuid from generate_series(1, 20000) n;

insert into device_machines
select md5('device ' || n)::uuid, sha256(('uuid ' || n)::bytea), sha256(('serial ' || n)::bytea),
       sha256(('boot ' || n)::bytea), '\x', 1700000000000000
from generate_series(1, 20000) n;

insert into identity_questions
select md5('question ' || n)::uuid, md5('device ' || n * 7)::uuid, n % 3 + 1, 1700000000000000, 1700000000000000, 'host',
       '192.0.2.1', sha256(n::text::bytea), null, '\x', case when n % 3 = 2 then md5('device ' || n)::uuid end,
       case when n % 20 = 0 then 0 else n % 2 + 1 end, 1700000000000000, 'ada'
from generate_series(1, 2000) n;

insert into retired_keys
select sha256(('retired ' || n)::bytea), md5('device ' || n)::uuid, md5('run ' || n)::uuid, 0
from generate_series(1, 2000) n;

insert into device_states select md5('device ' || n)::uuid, 0, '\x00' from generate_series(1, 20000) n;

insert into agent_releases
select 'x86_64-linux', '1.' || n, 1, '\x', '\x', 0, case when n = 7 then 1 else 0 end from generate_series(1, 20) n;
insert into agent_release_parts
select 'x86_64-linux', '1.' || n % 20 + 1, n / 20, '\x' from generate_series(0, 1999) n;

insert into access_keys
select 'GH' || n, md5('account ' || n % 20 + 1)::uuid, '\x00', '', 1, 0, 1700000000000000,
       case when n % 4 = 0 then sha256(n::text::bytea) end, case when n % 4 = 0 then 1700000000000000 + n * 1000000::bigint end
from generate_series(1, 2000) n;

insert into request_nonces
select sha256(n::text::bytea), 1700000000000000 + n * 1000000::bigint from generate_series(1, 20000) n;

insert into agentless_locations
select md5('location ' || n)::uuid, 'location ' || n, '\x00', null, 3, 1700000000000000, 1700000000000000 + n, ''
from generate_series(1, 20) n;

insert into agentless_assets
select 's-' || n, md5('location ' || n % 20 + 1)::uuid, 'disk ' || n, 3 + n % 2, n, '1', 'Debian', 1700000000000000, 0
from generate_series(1, 20000) n;

insert into agentless_tasks
select md5('scan ' || n)::uuid, 'scan ' || n, 3 + n % 2, md5('account ' || n % 20 + 1)::uuid, null,
       case when n % 2 = 0 then 'token ' || n else '' end, '\x00', case when n % 50 = 0 then 1 else 2 end,
       1700000000000000 + n * 1000000::bigint, case when n % 50 <> 0 then 1700000000000000 + n * 1000000::bigint end, 10,
       case when n % 50 <> 0 then 10 else 8 end, 0, 0, 0, 800, 1, case when n % 50 = 1 then 1 when n % 50 = 0 then 0 else 3 end,
       case when n % 50 = 1 then 1700000000000000 + n * 1000000::bigint end
from generate_series(1, 3000) n;

insert into agentless_subtasks
select md5('subtask ' || n)::uuid, md5('scan ' || n % 3000 + 1)::uuid, n / 3000, 's-' || n % 20000,
       md5('location ' || n % 20 + 1)::uuid, 3 + n % 2, 'disk ' || n, 'host ' || n, '192.0.2.1', '10.0.0.1', n,
       case when n % 50 <> 49 or n < 24000 then 3 when n < 25000 then 2 else 1 end,
       case when n % 50 <> 49 or n < 24000 then 2 else 1 end, 0, 100, '', 1700000000000000 + (n % 3000 + 1) * 1000000::bigint,
       1700000000000000 + n * 1000000::bigint, 1700000000000000, 1700000000000000, 0, 1, 'worker',
       case when n % 50 = 49 and n >= 24000 and n < 25000 then 1700000000000000 + n end, null, '', 1,
       case when n % 200 = 0 then 1 else 3 end, case when n % 200 = 0 then 1700000000000000 + n end
from generate_series(0, 29999) n;

insert into agentless_snapshots
select md5('run ' || n)::uuid, md5('device ' || n % 20000)::uuid, md5('task ' || n % 5000 + 1)::uuid,
       md5('trigger ' || n % 10000)::uuid, md5('subtask ' || n % 30000)::uuid,
       case when n % 50 = 0 then 1 when n % 50 = 1 then 3 else 2 end, n, 5, 0, 1700000000000000 + n,
       case when n % 50 > 1 then 1700000000000000 + n * 1000000::bigint end
from generate_series(1, 20000) n;

insert into agentless_results
select 's-' || n % 20000, md5('subtask ' || n)::uuid, 3 + n % 2, 1700000000000000 + n, 1700000000000000 + n * 1000000::bigint,
       1, 0, 0, 0, 0, 0
from generate_series(10000, 29999) n;

insert into agentless_reports
select md5('subtask ' || n)::uuid, 'json', 0, '\x00' from generate_series(0, 29999) n;

insert into agentless_counters values ('vulnerability', 30000), ('vulnerability_whitelist', 100);

insert into agentless_vulnerabilities
select n, 's-' || n % 20000, md5('finding ' || n)::uuid, 3 + n % 2, 1 + n % 5 / 4 * 2, 'CVE-' || n % 3000, 'title ' || n % 3000,
       'CVE-' || n % 3000, 1 + n % 3, n % 101, 'package ' || n % 500, 'deb', '1', case when n % 4 <> 0 then '2' else '' end,
       case when n % 4 <> 0 then 1 else 0 end, '/var/lib/dpkg/status', 'debian', '12', case when n % 20 = 0 then 1 else 0 end,
       1700000000000000 + n
from generate_series(1, 30000) n;

insert into agentless_vulnerability_whitelist
select n, 1, 'CVE-' || n * 20, 'title', '', n % 2, '' from generate_series(1, 100) n;

insert into agentless_vulnerability_whitelist_assets
select n % 100 + 1, 's-' || n from generate_series(1, 5000) n where n % 2 = 0;

insert into agentless_counters values ('malicious_file', 30000), ('malicious_note', 2000), ('sensitive_file', 30000);

insert into agentless_malicious_files
select n, 's-' || n % 20000, md5('sample ' || n % 3000), encode(sha256(('sample ' || n % 3000)::bytea), 'hex'), '/srv/' || n,
       '/dev/vda1', 'name ' || n % 100, 1 + n % 3, 1 + n % 3, '', '[]', 1700000000000000 + n, 1700000000000000 + n,
       case when n % 10 = 0 then 2 else 0 end, case when n % 10 = 0 then 'addWhitelist' else '' end,
       case when n % 10 = 0 then 1700000000000000 + n end, case when n % 20 = 0 then n % 5000 + 1 end
from generate_series(1, 30000) n;

insert into agentless_malicious_notes
select n, n * 15, 'a note', 1700000000000000 + n from generate_series(1, 2000) n;

insert into agentless_malicious_rules
select n, md5('rule ' || n), '', 1700000000000000, 1700000000000000 from generate_series(1, 5000) n;

insert into agentless_malicious_samples
select encode(sha256(('good ' || n)::bytea), 'hex'), 1700000000000000 from generate_series(1, 20000) n;

insert into agentless_sensitive_files
select n, 's-' || n % 20000, 'rule ' || n % 100, 1 + n % 3, '/etc/' || n, md5('file ' || n), 'BEGIN', 0, 1700000000000000 + n,
       1700000000000000 + n
from generate_series(1, 30000) n;

insert into agentless_check_items
select n, 'Check ' || n, 1 + n % 3, 'type ' || n % 10, 1 + n % 5, 'baseline ' || n % 5, 'category ' || n % 5, 'Category', 'text',
       'text'
from generate_series(1, 300) n;

insert into agentless_checks
select 's-' || n % 20000, n % 300 + 1, case when n % 4 = 0 then 1 else 3 end, '', 1700000000000000, 1700000000000000 + n
from generate_series(1, 30000) n;
insert into agentless_schedules
select md5('schedule ' || n)::uuid, 'schedule ' || n, '\x00', 1, '\x00', '\x00', 1, 1700000000000000,
       1700000000000000 + n * 3600000000::bigint, null, null, ''
from generate_series(1, 5000) n;

insert into agentless_webhooks
select md5('webhook ' || n)::uuid, 'https://hooks.example.com/' || n, '\x00', n % 4, 1700000000000000
from generate_series(1, 10) n;

insert into agentless_deliveries
select md5('delivery ' || n)::uuid, md5('webhook ' || n % 10 + 1)::uuid, 1, md5('scan ' || n % 3000 + 1)::uuid, 'scan ' || n,
       null, '', 2, '', 1700000000000000 + n * 1000000::bigint, case when n % 200 = 0 then 1 else 2 end, 1,
       case when n % 200 = 0 then 1700000000000000 + n * 1000000::bigint end,
       case when n % 200 <> 0 then 1700000000000000 + n * 1000000::bigint end, 200, ''
from generate_series(1, 20000) n;

insert into agentless_selections
select n, n % 2, 'all', md5('account ' || n % 20 + 1)::uuid, '', 1700000000000000 + n * 1000000::bigint
from generate_series(1000, 3000) n;

insert into agentless_selection_types select 'AGENTLESS_SCAN_ONCE_TASK_' || n, n from generate_series(1000, 3000) n;

insert into agentless_selection_targets
select 1000 + n % 2000, 's-' || n from generate_series(1, 20000) n where n % 2 = 0;

update agentless_malicious_rules set selection_key = 1000 + id % 2000 where id % 10 = 0;
update agentless_vulnerability_whitelist set everywhere = 0, selection_key = 1000 + id where id % 10 = 0;
