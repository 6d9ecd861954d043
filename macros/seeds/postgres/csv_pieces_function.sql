{#
    The temporary function `csv_pieces(file oid)`, which cuts a file into pieces of whole lines that the
    server can hold as text (one value holds at most 1 GB), in one reading of it. One row per piece:
      first_byte, byte_count  where the piece lies in the file
      first_line              the number of its first line
      has_quotes              whether there is a double quote in it
      cr_only                 whether its lines end in a carriage return alone
      problem                 null, or a sentence: text that is not UTF-8
    It is a function because only PL/pgSQL can catch the error of a text that is not UTF-8.
#}
{% macro csv_pieces_function(piece_bytes=16777216) -%}
create or replace function pg_temp.csv_pieces(file oid)
returns table (
    first_byte bigint, byte_count bigint, first_line bigint, has_quotes boolean, cr_only boolean, problem text
)
language plpgsql as $$
declare
    newline constant bytea := '\x0a';
    content bytea;
    piece_text text;
    following bytea;
    line_bytes bytea;
begin
    first_byte := 0;
    first_line := 1;
    loop
        byte_count := {{ piece_bytes }};
        loop
            following := lo_get(file, first_byte + byte_count, 65536);
            exit when length(following) = 0;
            if position(newline in following) > 0 then
                byte_count := byte_count + position(newline in following);
                exit;
            end if;
            byte_count := byte_count + length(following);
        end loop;

        content := lo_get(file, first_byte, byte_count::integer);
        exit when length(content) = 0;
        begin
            piece_text := convert_from(content, 'UTF8');
        exception when character_not_in_repertoire or untranslatable_character then
            for line_bytes in
                select decode(line, 'escape') from string_to_table(encode(content, 'escape'), E'\n') as line
            loop
                begin
                    perform convert_from(line_bytes, 'UTF8');
                exception when character_not_in_repertoire or untranslatable_character then
                    exit;
                end;
                first_line := first_line + 1;
            end loop;
            problem := format('line %s is not UTF-8 text; save the file as UTF-8 and load it again.', first_line);
            return next;
            return;
        end;

        has_quotes := position('"' in piece_text) > 0;
        -- A first piece without a line feed is the whole file.
        cr_only := first_line = 1 and position(E'\n' in piece_text) = 0 and position(E'\r' in piece_text) > 0;
        return next;
        first_line := first_line + length(piece_text) - length(replace(piece_text, E'\n', ''));
        first_byte := first_byte + byte_count;
    end loop;
end
$$
{%- endmacro %}
