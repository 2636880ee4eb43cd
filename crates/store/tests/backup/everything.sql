-- At least two rows in every table, with the values that are easily lost on the way: none, empty, the ends of the
-- range, letters of other scripts, every byte.
insert into device_groups values
    (x'0000000000000000000000000000aaaa', x'00000000000000007001000000000001', 'Ärzte', '', '"\', 2147483648, 2, 2);
update device_groups set display_name = 'Everything' where parent is null;
insert into devices values
    (x'0000000000000000000000000000d001', x'0000000000000000000000000000aaaa', 'büro-1', 'BÜRO-1', 'a	b
c', 1, 2, 3, 1, 1700000000000001, '2001:db8::1', 'token', x'000102fdfeff', 9223372036854775807),
    (x'ffffffffffffffffffffffffffffffff', x'0000000000000000000000000000aaaa', '', '', '', 0, 0, 0, 0, null, '', '', x'', 1);
insert into task_templates values
    (x'0000000000000000000000000000e001', zeroblob(32), 'scan', '', x'0a00'),
    (x'0000000000000000000000000000e002', x'ff', '日本', '𝄞', zeroblob(300000));
insert into tasks values
    (x'0000000000000000000000000000f001', x'0000000000000000000000000000e001', 'ALL', 1, 5, 6, 1, null),
    (x'0000000000000000000000000000f002', x'0000000000000000000000000000e002', '', 0, -1, 0, 2, 7);
insert into task_targets values
    (x'0000000000000000000000000000f001', 1, 0, x'0000000000000000000000000000d001'),
    (x'0000000000000000000000000000f001', 2, 0, x'0000000000000000000000000000aaaa');
insert into task_triggers values
    (x'00000000000000000000000000000b01', x'0000000000000000000000000000f001', 0, 1, 9223372036854775807, null),
    (x'00000000000000000000000000000b02', x'0000000000000000000000000000f001', 1, -9223372036854775808, 0, 7);
insert into task_runs values
    (x'00000000000000000000000000000c01', x'0000000000000000000000000000f001', x'00000000000000000000000000000b01',
     x'0000000000000000000000000000e001', x'0000000000000000000000000000d001', 1, 1, null, 2, 0, null,
     null, null, 5, null, null, null, x'0a00ff'),
    (x'00000000000000000000000000000c02', x'0000000000000000000000000000f001', x'00000000000000000000000000000b02',
     x'0000000000000000000000000000e001', x'0000000000000000000000000000d001', 3, 1, 2, 3, 1, zeroblob(100000),
     1, 9223372036854775807, null, 'CODE', 'weil', 1, null);
insert into accounts values
    (x'00000000000000000000000000000001', 'ada', '$argon2id$…', 2, 1, 'RunCommand OnDemandScan'),
    (x'00000000000000000000000000000002', 'Ada', '', 0, 2, '*');
insert into refresh_tokens values
    (zeroblob(32), x'00000000000000000000000000000009', x'00000000000000000000000000000001', 4, 0),
    (x'01', x'00000000000000000000000000000009', x'00000000000000000000000000000001', 4, 1);
insert into keys values ('authority', x'01', x'02', 1), ('page-tokens', x'03', null, 1);
insert into enrolment_tokens values
    (x'0102', x'03', x'0000000000000000000000000000aaaa', 5, 6, null),
    (x'', x'', zeroblob(16), 0, 0, x'0000000000000000000000000000ee01');
insert into device_keys values
    (zeroblob(32), x'0000000000000000000000000000d001', x'0102', 1),
    (x'01', x'ffffffffffffffffffffffffffffffff', x'', 2);
insert into device_links values
    (x'0000000000000000000000000000d001', 7), (x'ffffffffffffffffffffffffffffffff', 1);
insert into leases values
    ('retention', x'00000000000000000000000000000003', 4, 5), ('ändern', zeroblob(16), 1, 0);
insert into responses values
    (x'00000000000000000000000000000a01', zeroblob(32), x'0a00ff', 7), (zeroblob(16), x'', null, -1),
    (x'00000000000000000000000000000a02', x'01', x'', 9223372036854775807);
insert into policies values
    (x'0000000000000000000000000000ab01', 'Grundschutz', '', x'00ff'), (x'ffffffffffffffffffffffffffffab02', '', 'ß', x'');
insert into policy_assignments values
    (x'0000000000000000000000000000ac01', x'0000000000000000000000000000ab01', 1, x'0000000000000000000000000000d001', 1),
    (x'0000000000000000000000000000ac02', x'0000000000000000000000000000ab01', 2, x'0000000000000000000000000000aaaa', 4294967295);
insert into device_policies values
    (x'0000000000000000000000000000d001', zeroblob(32), 1700000000000001, x'0a00ff'),
    (x'ffffffffffffffffffffffffffffffff', x'', -1, x'');
insert into device_facts values
    (x'0000000000000000000000000000d001', 'äpfel', '', 'debian', 2, 1, x'0400013102', x'', x'04c0000207', 5, 0, 1),
    (x'ffffffffffffffffffffffffffffffff', '', 'ß', '', 0, 0, x'', x'00ff', x'', 0, 1, 0);
insert into device_components values
    (x'0000000000000000000000000000d001', 0, 'agent', x'0400013102'), (x'0000000000000000000000000000d001', 1, '', x'');
insert into dynamic_groups values
    (x'0000000000000000000000000000dd02', x'0000000000000000000000000000aaaa', x'0000000000000000000000000000aaaa',
     'Server', '', '{"all":[]}', 0, 1, 7, 1),
    (x'0000000000000000000000000000dd01', x'0000000000000000000000000000dd02', x'0000000000000000000000000000aaaa',
     'ß', 'text', '{"condition":{"seen":"ever"}}', 1, 2, -1, 0);
insert into dynamic_members values
    (x'0000000000000000000000000000dd02', x'0000000000000000000000000000d001'),
    (x'0000000000000000000000000000dd01', x'ffffffffffffffffffffffffffffffff');
insert into device_machines values
    (x'0000000000000000000000000000d001', zeroblob(32), x'00ff', x'01', x'', 7),
    (x'ffffffffffffffffffffffffffffffff', null, null, null, zeroblob(64), -1);
insert into identity_questions values
    (x'0000000000000000000000000000ee01', x'0000000000000000000000000000d001', 1, 1, 9223372036854775807, 'büro-1', '192.0.2.7',
     zeroblob(32), null, zeroblob(64), null, 0, null, ''),
    (x'0000000000000000000000000000ee02', x'0000000000000000000000000000d001', 3, -1, 0, '', '', null, x'01', x'',
     x'ffffffffffffffffffffffffffffffff', 2, 5, 'ada');
insert into retired_keys values
    (x'02', x'0000000000000000000000000000d001', x'00000000000000000000000000000c02', 5),
    (x'', x'ffffffffffffffffffffffffffffffff', zeroblob(16), -1);
insert into device_states values
    (x'0000000000000000000000000000d001', 1700000000000001, x'0a00ff'),
    (x'ffffffffffffffffffffffffffffffff', -1, x'');
insert into agent_releases values
    ('x86_64-linux', '1.2.3', 2, zeroblob(32), zeroblob(64), 1700000000000001, 2),
    ('', 'ä', 0, x'', x'', -1, 0);
insert into agent_release_parts values ('x86_64-linux', '1.2.3', 0, x'00ff'), ('x86_64-linux', '1.2.3', 1, x'');
insert into access_keys values
    ('GHä', x'00000000000000000000000000000001', x'000102ff', '日本', 1, 1700000000000001, null, null, null),
    ('STS.', x'00000000000000000000000000000001', x'', '', 0, -1, 9223372036854775807, zeroblob(32), 0);
insert into request_nonces values (zeroblob(32), 1700000000000001), (x'', -1);
insert into agentless_locations values
    (x'0000000000000000000000000000a001', 'Büro', x'0a00ff', null, 3, 1700000000000001, null, ''),
    (x'ffffffffffffffffffffffffffffffff', '', x'', zeroblob(64), 4, -1, 9223372036854775807, '日本');
insert into agentless_assets values
    ('s-00000000000000000000', x'0000000000000000000000000000a001', 'disk.qcow2', 3, 9223372036854775807, 'v1', 'Debian', 7, 0),
    ('m-ä', x'ffffffffffffffffffffffffffffffff', '', 4, 0, '', '', -1, 1);
insert into agentless_tasks values
    (x'0000000000000000000000000000a002', 'scan', 3, x'00000000000000000000000000000001', null, 'token', x'0a00ff', 2,
     1700000000000001, 1700000000000002, 2, 1, 0, 0, 0, 100, 9, 3, null),
    (x'0000000000000000000000000000a003', '', 4, null, x'ffffffffffffffffffffffffffffffff', '', x'', 1, -1, null, 0, 0, 0, 0, 0, 0,
     0, 1, -1);
insert into agentless_subtasks values
    (x'0000000000000000000000000000a004', x'0000000000000000000000000000a002', 0, 's-00000000000000000000',
     x'0000000000000000000000000000a001', 3, 'disk.qcow2', 'web-1', '192.0.2.1', '10.0.0.1', 7, 3, 2, 0, 100, '{"vul":100}', 5,
     6, 7, 8, 2, 3, 'worker', null, null, '', 9, 1, 9, 'v1'),
    (x'0000000000000000000000000000a005', x'0000000000000000000000000000a002', 1, 'm-ä',
     x'ffffffffffffffffffffffffffffffff', 4, '', '', '', '', 0, 2, 1, 1, 40, '', 5, 6, 7, null, 0, 1, 'büro', 8, 9, 'ß', 0, 0,
     null, '');
insert into agentless_results values
    ('s-00000000000000000000', x'0000000000000000000000000000a004', 3, 8, 9223372036854775807, 1, 2, 3, 4, 5, 6),
    ('m-ä', x'0000000000000000000000000000a005', 4, -1, 0, 0, 0, 0, 0, 0, 0);
insert into agentless_reports values
    (x'0000000000000000000000000000a004', 'json', 0, x'00ff'), (x'0000000000000000000000000000a004', 'json', 1, x''),
    (x'0000000000000000000000000000a002', 'html', 0, zeroblob(64));
insert into agentless_counters values ('vulnerability', 9007199254740991), ('', -1);
insert into agentless_vulnerabilities values
    (9007199254740991, 's-00000000000000000000', x'0000000000000000000000000000b001', 3, 1, 'CVE-2024-1', 'Überlauf', 'CVE-2024-1',
     1, 98, 'openssl', 'deb', '1:3.0-1', '', 0, '/var/lib/dpkg/status', 'debian', '12', 0, 1700000000000001),
    (-1, 'm-ä', x'ffffffffffffffffffffffffffffffff', 4, 3, '', '', '', 3, -1, '日本', '', '', '"\', 1, 'a	b
c', '', '', 1, -1);
insert into agentless_selections values
    (9007199254740991, 0, 'debian', x'00000000000000000000000000000001', 'token', 1700000000000001),
    (-1, 1, '', x'ffffffffffffffffffffffffffffffff', '', -1);
insert into agentless_vulnerability_whitelist values
    (1, 1, 'CVE-2024-1', 'Überlauf', '{"type": "uuid"}', 0, 'weil', 9007199254740991), (9223372036854775807, 3, '', '', '', 1, '', null);
insert into agentless_vulnerability_whitelist_assets values (1, 's-00000000000000000000'), (1, 'm-ä');
insert into agentless_malicious_files values
    (9007199254740991, 's-00000000000000000000', 'd41d8cd98f00b204e9800998ecf8427e', '00ff', '/srv/ä', '/dev/vda1', 'Trojan', 2, 1,
     '{}', '[]', 7, 8, 2, 'addWhitelist', 9, 5),
    (1, 'm-ä', '', '', '', '', '日本', 1, 3, '', '', -1, 9223372036854775807, 0, '', null, null);
insert into agentless_malicious_notes values (1, 9007199254740991, 'ein Büro', 7), (2, 1, '', -1);
insert into agentless_malicious_rules values (5, 'd41d8cd98f00b204e9800998ecf8427e', 'why', 1, 2, 9007199254740991),
    (6, '', '', -1, 0, null);
insert into agentless_malicious_samples values ('00ff', 7), ('', -1);
insert into agentless_sensitive_files values
    (1, 's-00000000000000000000', 'pem', 1, '/etc/ä', 'd41d8cd98f00b204e9800998ecf8427e', 'BEGIN', 2, 7, 8),
    (2, 'm-ä', '', 3, '', '', '', 0, -1, 9223372036854775807);
insert into agentless_check_items values
    (1, 'Passwörter', 1, 'Passwords', 7, 'Debian', 'cis', 'CIS', 'text', 'text'), (9007199254740991, '', 3, '', 0, '', '', '', '', '');
insert into agentless_checks values
    ('s-00000000000000000000', 1, 1, 'found', 7, 8), ('m-ä', 9007199254740991, 8, '', -1, 0);
insert into agentless_selection_types values ('AGENTLESS_SCAN_ONCE_TASK_1', 9007199254740991), ('ä', -1);
insert into agentless_selection_targets values (9007199254740991, 's-00000000000000000000'), (9007199254740991, 'm-ä');
insert into agentless_snapshots values
    (x'0000000000000000000000000000a010', x'00000000000000000000000000000005', x'0000000000000000000000000000a011',
     x'0000000000000000000000000000a012', x'0000000000000000000000000000a004', 2, 9223372036854775807, 365, 1, 1700000000000001,
     1700000000000002),
    (x'ffffffffffffffffffffffffffffffff', zeroblob(16), zeroblob(16), zeroblob(16), zeroblob(16), 1, 0, 0, 0, -1, null);
insert into agentless_schedules values
    (x'0000000000000000000000000000a006', 'büro', x'0a00ff', 1, x'', zeroblob(64), 9223372036854775807, 1700000000000001,
     1700000000000002, 5, x'0000000000000000000000000000a002', '日本'),
    (x'ffffffffffffffffffffffffffffffff', '', x'', 0, x'01', x'', -1, -1, null, null, null, '');
insert into agentless_webhooks values
    (x'0000000000000000000000000000a007', 'https://hooks.example.com/', zeroblob(64), 3, 1700000000000001),
    (x'ffffffffffffffffffffffffffffffff', '', x'', 0, -1);
insert into agentless_deliveries values
    (x'0000000000000000000000000000a008', x'0000000000000000000000000000a007', 2, x'0000000000000000000000000000a002', 'scan',
     x'0000000000000000000000000000a004', 'm-ä', 3, 'ß', 1700000000000001, 1, 2, 1700000000000002, null, 500, 'text'),
    (x'ffffffffffffffffffffffffffffffff', x'0000000000000000000000000000a007', 1, x'0000000000000000000000000000a002', '', null,
     '', 2, '', -1, 2, 1, null, 9223372036854775807, 0, '');
