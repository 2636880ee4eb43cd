-- Duties that one process at a time has.
create table leases (
    duty        text collate "C" primary key,
    holder      uuid not null,
    -- Grows with every new holder: what an earlier one still does in the name of the duty is refused.
    fence       bigint not null,
    expire_time bigint not null
);
