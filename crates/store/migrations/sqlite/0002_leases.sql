-- Duties that one process at a time has.
create table leases (
    duty        text primary key,
    holder      blob not null,
    -- Grows with every new holder: what an earlier one still does in the name of the duty is refused.
    fence       integer not null,
    expire_time integer not null
) strict, without rowid;
