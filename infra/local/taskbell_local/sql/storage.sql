-- Stand-in for Supabase Storage: the schema, into which nobody else puts anything.
create schema if not exists storage authorization supabase_admin;
grant usage on schema storage to postgres, anon, authenticated, service_role;
