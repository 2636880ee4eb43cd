-- Answers of calls that outlived the patience of their clients: any process gives them.
create table responses (
    uuid        uuid primary key,
    -- SHA-256 over account and request: the answer is for the identical request.
    request     bytea not null,
    -- How the call ended; null while it runs.
    answer      bytea,
    expire_time bigint not null
);

create index responses_by_expiry on responses (expire_time);
