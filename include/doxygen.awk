# Makes Doxygen see the comments of a header: those that stand before declarations, and those behind one. A comment
# before several functions is that of each, one behind several fields as well. What looks like a command of Doxygen or
# HTML means itself; lines that are set in further, such as tables, stay as they are.

# Between quotes, Doxygen leaves everything as it is.
function escaped(text,    i, count, parts) {
    count = split(text, parts, "\"")
    text = ""
    for (i = 1; i <= count; i++) {
        if (i % 2) {
            gsub(/\\/, "\\\\", parts[i])
            gsub(/[@<>#%&]/, "\\\\&", parts[i])
        }
        text = text (i > 1 ? "\"" : "") parts[i]
    }
    return text
}

# A comment that stands by itself, of `count` lines in `lines`, as documentation.
function documentation(first, count,    i, text, made, margin, verbatim, deeper, closed) {
    match(lines[1], /\/\*/)
    margin = RSTART + 2
    for (i = 1; i <= count; i++) {
        text = lines[i]
        closed = sub(/ *\*\/[ \t]*$/, "", text)
        match(text, /^ */)
        deeper = i > 1 && RLENGTH > margin && text !~ /^ *$/
        if (deeper && !verbatim)
            made = made "@verbatim\n"
        if (!deeper && verbatim)
            made = made "@endverbatim\n"
        verbatim = deeper
        if (i == 1)
            sub(/\/\*/, "", text)
        made = made (i == 1 ? "/**" (first ? " @file\n" : "") : "") (verbatim ? text : escaped(text))
        if (closed)
            made = made (verbatim ? "\n@endverbatim" : "") " */"
        made = made "\n"
    }
    return made
}

# Prints fields of one line with the comment that stands before or behind them, a field a line.
function print_fields(code, before, behind,    i, count, names, type) {
    if (code ~ /^ +(const )?[a-z_0-9]+ [^(]*, [^(]*;$/ && match(code, /^ +(const )?[a-z_0-9]+ /)) {
        type = substr(code, 1, RLENGTH)
        count = split(substr(code, RLENGTH + 1, length(code) - RLENGTH - 1), names, /, /)
        for (i = 1; i <= count; i++)
            print (i > 1 ? before : "") type names[i] ";" behind
    } else {
        print code behind
    }
}

/^[ \t]*\/\*/ {
    first = NR == 1
    count = 0
    lines[++count] = $0
    while (lines[count] !~ /\*\// && (getline line) > 0)
        lines[++count] = line
    more = (getline line) > 0
    # A heading, or a remark about what follows as a whole.
    if (lines[1] ~ /\/\* (=|-)+/ || (!first && (!more || line ~ /^[ \t]*$/))) {
        for (i = 1; i <= count; i++)
            print lines[i]
    } else {
        last = documentation(first, count)
        printf "%s", last
        fresh = 1
    }
    if (!more)
        next
    $0 = line
}

/^[ \t]*$/ { last = "" }

/^THAW_API/ {
    if (!fresh)
        printf "%s", last
    fresh = 0
}

/[^ \t].*\/\* / {
    start = index($0, " /* ")
    code = substr($0, 1, start - 1)
    sub(/ +$/, "", code)
    comment = substr($0, start + 4)
    while (comment !~ /\*\// && (getline line) > 0) {
        sub(/^ +/, "", line)
        comment = comment " " line
    }
    sub(/ *\*\/.*$/, "", comment)
    print_fields(code, "", " /**< " escaped(comment) " */")
    fresh = 0
    next
}

{
    if (fresh)
        print_fields($0, last, "")
    else
        print
    fresh = 0
}
