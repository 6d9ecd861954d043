{#
    Creates a role that may read the published tables, the history and the run log, and nothing else of this project, and
    revokes all rights on the project's schemas from `public`; grants to other roles stay. Running it again changes nothing.
    The role may also read tables that are built later. It is a role to grant to people (`grant features_reader to alice`), not one to log in with.

    The environment variable FEATURES_READER sets its name; the default is features_reader.
#}
{% macro create_reader_role() -%}
    {{ return(adapter.dispatch('create_reader_role')()) }}
{%- endmacro %}

{% macro default__create_reader_role() -%}
    {%- do exceptions.raise_compiler_error('This engine has no roles; the reader role needs Postgres.') -%}
{%- endmacro %}

{% macro postgres__create_reader_role() -%}
    {%- set name = env_var('FEATURES_READER', '') or 'features_reader' -%}
    {%- if name.encode('utf-8') | length > 63 -%}
        {%- do exceptions.raise_compiler_error(
            "FEATURES_READER is '" ~ name ~ "', and Postgres would cut it to 63 bytes; name a shorter one."
        ) -%}
    {%- endif -%}
    {%- set reader = adapter.quote(name | replace('"', '""')) -%}
    {%- set readable = [target.schema, target.schema ~ '_audit'] -%}
    {%- set hidden = [target.schema ~ '_raw', target.schema ~ '_staging'] -%}
    {%- set found = run_query(
        'select exists (select 1 from pg_roles where rolname = ' ~ text_literal(name) ~ ') as is_there, '
        ~ 'rolsuper or rolcreaterole as may_create, rolname from pg_roles where rolname = current_user'
    ).rows[0] -%}
    {%- if not found['is_there'] -%}
        {%- if not found['may_create'] -%}
            {%- do exceptions.raise_compiler_error(
                'The user ' ~ found['rolname'] ~ ' may not create roles; ask somebody who may to run `create role ' ~ reader
                ~ ' nologin; grant ' ~ reader ~ ' to ' ~ adapter.quote(found['rolname']) ~ '`, and do this again.'
            ) -%}
        {%- endif -%}
        {%- do run_query('create role ' ~ reader ~ ' nologin') -%}
    {%- endif -%}
    {#- The user who builds can assume the role, to check what readers see. -#}
    {%- do run_query('grant ' ~ reader ~ ' to current_user') if not found['is_there'] and found['rolname'] != name -%}

    {%- for schema in readable + hidden -%}
        {%- set relation = api.Relation.create(database=target.database, schema=schema).include(database=false, identifier=false) -%}
        {%- set is_there = adapter.check_schema_exists(target.database, schema) -%}
        {%- if schema in readable -%}
            {%- do adapter.create_schema(relation) if not is_there -%}
            {%- do run_query('grant usage on schema ' ~ relation ~ ' to ' ~ reader) -%}
            {%- do run_query('grant select on all tables in schema ' ~ relation ~ ' to ' ~ reader) -%}
            {%- do run_query('alter default privileges in schema ' ~ relation ~ ' grant select on tables to ' ~ reader) -%}
        {%- elif is_there -%}
            {%- do run_query('revoke all on schema ' ~ relation ~ ' from ' ~ reader) -%}
            {%- do run_query('revoke all on all tables in schema ' ~ relation ~ ' from ' ~ reader) -%}
        {%- endif -%}
        {%- if schema in readable or is_there -%}
            {%- do run_query('revoke all on schema ' ~ relation ~ ' from public') -%}
            {%- do run_query('revoke all on all tables in schema ' ~ relation ~ ' from public') -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do print('The role ' ~ name ~ ' may read the tables of ' ~ readable | join(' and ') ~ ', and nothing else.') -%}
{%- endmacro %}
