-- All of them may be missing: a replica of the version before writes none.

-- When the server learned that the run began.
alter table task_runs add column begin_time integer;
-- When the device last said something of a run that began.
alter table task_runs add column heard_time integer;
-- When somebody asked to cancel it.
alter table task_runs add column cancel_time integer;
-- Why it ended otherwise than FINISHED: a constant, as in the result.
alter table task_runs add column reason_code text;
-- The same for people, where the server ended it and there is no result of the device.
alter table task_runs add column reason text;
-- 1: the server supposed the end, because it heard nothing; what the device says of it later counts.
alter table task_runs add column supposed integer;
-- How far a run is that is not over: an encoded contract RunProgress.
alter table task_runs add column progress blob;

-- Runs that may be overdue.
create index task_runs_queued on task_runs (expire_time, uuid) where status = 1 and withdrawn = 0;
create index task_runs_running on task_runs (heard_time, uuid) where status = 2;

-- When the task was cancelled; the expire_time is earlier then.
alter table task_triggers add column cancel_time integer;
