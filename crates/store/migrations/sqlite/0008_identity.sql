-- Which machine each device is. It goes with the device by itself, as everything here does: replicas of the version
-- before delete devices, too, and know nothing of these tables.
create table device_machines (
    device_uuid          blob primary key references devices (uuid) on delete cascade,
    -- SHA-256 of what its firmware says; null: it says nothing that tells machines apart.
    uuid_digest          blob,
    serial_number_digest blob,
    -- SHA-256 of the present life of its kernel.
    boot_digest          blob,
    -- The lives before, 32 bytes each, the latest first.
    earlier_boots        blob not null,
    -- When the present life was first heard of.
    boot_time            integer not null
) strict, without rowid;

create index device_machines_by_uuid on device_machines (uuid_digest, device_uuid) where uuid_digest is not null;
create index device_machines_by_serial_number on device_machines (serial_number_digest, device_uuid)
    where serial_number_digest is not null;

-- Machines that seem to be a device and are not the one that is known: somebody has to decide.
create table identity_questions (
    uuid                 blob primary key,
    device_uuid          blob not null references devices (uuid) on delete cascade,
    -- An IdentityQuestion.Reason of the contract.
    reason               integer not null,
    create_time          integer not null,
    -- What is known of the other machine.
    last_seen_time       integer not null,
    host_name            text not null,
    public_ip_address    text not null,
    uuid_digest          blob,
    serial_number_digest blob,
    -- The lives of its kernel, 32 bytes each, the latest last.
    boots                blob not null,
    -- The device of its own that it is; null: it is none.
    newcomer_uuid        blob,
    -- An IdentityQuestion.Answer of the contract; 0: it is open.
    answer               integer not null,
    answer_time          integer,
    answered_by          text not null
) strict, without rowid;

-- One question at a time for each device.
create unique index identity_questions_open on identity_questions (device_uuid) where answer = 0;
create index identity_questions_to_answer on identity_questions (uuid) where answer = 0;
create index identity_questions_by_device on identity_questions (device_uuid, uuid);
create index identity_questions_by_newcomer on identity_questions (newcomer_uuid) where newcomer_uuid is not null;

-- Keys of devices that are managed no longer: all they are good for is to hear so again.
create table retired_keys (
    digest      blob primary key,
    device_uuid blob not null references devices (uuid) on delete cascade,
    -- The run of StopManaging.
    run_uuid    blob not null,
    retire_time integer not null
) strict, without rowid;

create index retired_keys_by_device on retired_keys (device_uuid);

-- What each device is in for a while: isolated, about to restart.
create table device_states (
    device_uuid blob primary key references devices (uuid) on delete cascade,
    report_time integer not null,
    -- An encoded contract DeviceState.
    state       blob not null
) strict, without rowid;

-- The newcomer of a question that a token is for; null: it is for anybody.
alter table enrolment_tokens add column question_uuid blob;
create index enrolment_tokens_by_question on enrolment_tokens (question_uuid) where question_uuid is not null;

-- The actions that an account may use in tasks, separated by spaces; *: all of them.
alter table accounts add column actions text not null default '*';
