{#
    Why parse_run_time() gave null: 'missing_run_time', 'negative_run_time', 'run_time_too_long' or
    'run_time_not_number'; null where it did not.

    In:  run_time_fault('experiment_run_time_text', 'experiment_run_time')

    Arguments: text, the trimmed text; run_time, what parse_run_time() made of it.
#}
{% macro run_time_fault(text, run_time) -%}
case
    when {{ run_time }} is not null then null
    when {{ text }} = '' then 'missing_run_time'
    when {{ matches(text, '-([0-9]+[.]?[0-9]*|[.][0-9]+)') }} then 'negative_run_time'
    when {{ matches(text, '[0-9]+[.]?[0-9]*|[.][0-9]+') }} then 'run_time_too_long'
    else 'run_time_not_number'
end
{%- endmacro %}
