-- Stand-in for pg_cron: the list of jobs. Something outside of the database runs them.
create schema if not exists cron authorization supabase_admin;
grant usage on schema cron to postgres;

create table if not exists cron.job (
  jobid bigserial primary key,
  schedule text not null,
  command text not null,
  nodename text not null default 'localhost',
  nodeport int not null default inet_server_port(),
  database text not null default current_database(),
  username text not null default current_user,
  active boolean not null default true,
  jobname text,
  unique (jobname, username)
);

create table if not exists cron.job_run_details (
  jobid bigint,
  runid bigserial primary key,
  job_pid int,
  database text,
  username text,
  command text,
  status text,
  return_message text,
  start_time timestamptz,
  end_time timestamptz
);
alter table cron.job owner to supabase_admin;
alter table cron.job_run_details owner to supabase_admin;
grant select on cron.job to postgres;
grant all on cron.job_run_details to postgres;
grant all on all sequences in schema cron to postgres;

create or replace function cron.schedule(job_name text, schedule text, command text)
returns bigint language sql security definer set search_path = '' as $$
  insert into cron.job (jobname, schedule, command, nodeport, username)
  values (job_name, schedule, command, coalesce(inet_server_port(), 5432), session_user)
  on conflict (jobname, username) do update set schedule = excluded.schedule, command = excluded.command
  returning jobid
$$;

create or replace function cron.unschedule(job_name text)
returns boolean language plpgsql security definer set search_path = '' as $$
begin
  delete from cron.job where jobname = job_name and username = session_user;
  if not found then
    raise exception 'could not find valid entry for job ''%''', job_name;
  end if;
  return true;
end
$$;
revoke execute on function cron.schedule(text, text, text), cron.unschedule(text) from public;
grant execute on function cron.schedule(text, text, text), cron.unschedule(text) to postgres;
