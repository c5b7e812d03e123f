-- What is installed in every project is installed here: `create extension if not exists` finds it. Of what
-- has no files here, the name alone is entered; its objects are the stand-ins'.
insert into pg_catalog.pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
select
  pg_nextoid('pg_catalog.pg_extension', 'oid', 'pg_catalog.pg_extension_oid_index') as oid,
  e.name as extname,
  to_regrole('supabase_admin') as extowner,
  to_regnamespace(e.namespace) as extnamespace,
  false as extrelocatable,
  'stand-in' as extversion
from (
  values
  ('pgcrypto', 'extensions'),
  ('uuid-ossp', 'extensions'),
  ('pg_net', 'extensions'),
  ('pg_cron', 'pg_catalog'),
  ('supabase_vault', 'vault')
) as e (name, namespace)
where e.name not in (select x.extname from pg_catalog.pg_extension as x);
