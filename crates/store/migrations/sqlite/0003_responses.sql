-- Answers of calls that outlived the patience of their clients: any process gives them.
create table responses (
    uuid        blob primary key,
    -- SHA-256 over account and request: the answer is for the identical request.
    request     blob not null,
    -- How the call ended; null while it runs.
    answer      blob,
    expire_time integer not null
) strict, without rowid;

create index responses_by_expiry on responses (expire_time);
