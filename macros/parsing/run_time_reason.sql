{#
    Why a text is not a run time, where parse_run_time() gave null: 'missing_run_time', 'negative_run_time',
    'run_time_too_long' or 'run_time_not_number'.

    In:  case when experiment_run_time is null then {{ run_time_reason('experiment_run_time_text') }} end

    Arguments: text, an expression for trimmed text.
#}
{% macro run_time_reason(text) -%}
case
    when {{ text }} = '' then 'missing_run_time'
    when {{ matches(text, '-([0-9]+[.]?[0-9]*|[.][0-9]+)') }} then 'negative_run_time'
    when {{ matches(text, '[0-9]+[.]?[0-9]*|[.][0-9]+') }} then 'run_time_too_long'
    else 'run_time_not_number'
end
{%- endmacro %}
