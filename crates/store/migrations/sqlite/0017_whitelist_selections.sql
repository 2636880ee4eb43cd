-- Rules that take files for good, and vulnerabilities that somebody lives with, may be about the assets of a selection; null:
-- they are not.
alter table agentless_malicious_rules
    add column selection_key integer references agentless_selections (selection_key);
alter table agentless_vulnerability_whitelist
    add column selection_key integer references agentless_selections (selection_key);

create index agentless_malicious_rules_by_selection on agentless_malicious_rules (selection_key)
    where selection_key is not null;
create index agentless_vulnerability_whitelist_by_selection on agentless_vulnerability_whitelist (selection_key)
    where selection_key is not null;
