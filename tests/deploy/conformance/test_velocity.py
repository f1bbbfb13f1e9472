"""Velocity as mapping templates use it, against its own documentation.

AWS: "Mapping template transformations for REST APIs in API Gateway" says that templates are
Velocity Template Language, and points to Velocity's "VTL Reference".
"""

import contextlib
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.gateway.velocity import RenderError, Template
from deploy.local.gateway.velocity.java import double_text
from tests.deploy.conformance.templates import text


def case(template: str, expected: str, body: str = "", *, name: str = "") -> object:
    return pytest.param(template, expected, body, id=name or template)


@pytest.mark.parametrize(
    ("template", "expected", "body"),
    [
        case("#set($a = 'x')$a ${a} $!a $!{a} ${a}y", "x x x x xy", name="four ways to refer"),
        case("$a ${a.b} $a.f(1, 'x')[0]", "$a ${a.b} $a.f(1, 'x')[0]", name="undefined"),
        case("|$!a|$!{a.b}|$!a.f()|", "||||", name="undefined and quiet"),
        case("$ $5 $. $$ #a #1 # a# 100%", "$ $5 $. $$ #a #1 # a# 100%", name="only text"),
        case('"#n": "$.a[0]", "US$"', '"#n": "$.a[0]", "US$"', name="JSONPath and names as text"),
        case("#set($a = 'x')$a. $a.- $a: $a,", "x. x.- x: x,", name="punctuation"),
        case("#set($my-var = 'x')$my-var$!other-var", "x", name="a hyphen is part of a name"),
        case(r"#set($a = 'x')\$a \n", r"$a \n", name="an escaped reference"),
        case("a## gone $x #if\nb#* gone\n#if *#c", "ab" + "c", name="comments"),
        case("#[[$a #if]]#", "$a #if", name="unparsed"),
    ],
)
def test_references_and_text(template: str, expected: str, body: str) -> None:
    """AWS: "Mapping template transformations for REST APIs"; Velocity: "References"."""
    assert text(template, body) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'it''s'", "it's"),
        ('"a ""b"""', 'a "b"'),
        ("'$one'", "$one"),
        ('"$one+${one}-$one"', "1+1-1"),
        ('"#if($one == 1)yes#end"', "yes"),
        (r"'a\n'", r"a\n"),
        (r'"\\"', r"\\"),
        ("7", "7"),
        ("-7", "-7"),
        ("12345678901234567890", "12345678901234567890"),
        ("1.5", "1.5"),
        ("10.0", "10.0"),
        ("1.0e308 * 10", "Infinity"),
        ("12345678.9", "1.23456789E7"),
        ("99999999.9", "9.99999999E7"),
        ("-99999999.9", "-9.99999999E7"),
        ("9.99999999e-05", "9.99999999E-5"),
        ("0.0001", "1.0E-4"),
        ("true", "true"),
        ("[1, 'a', true]", "[1, a, true]"),
        ("[]", "[]"),
        ("[1..3]", "[1, 2, 3]"),
        ("[$one..-1]", "[1, 0, -1]"),
        ("{}", "{}"),
        ('{"a": 1, "b": [2]}', "{a=1, b=[2]}"),
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 3 - 2", "5"),
        ("7 / 2", "3"),
        ("-7 / 2", "-3"),
        ("7 / 2.0", "3.5"),
        ("-7 % 3", "-1"),
        ("7.5 % 2", "1.5"),
        ("'a' + 1 + true", "a1true"),
        ("1 + 'a'", "1a"),
        ("1 == 1.0", "true"),
        ("1 == '1'", "true"),
        ("'a' == 'b'", "false"),
        ("$none == $null", "true"),
        ("'x' == $none", "false"),
        ("'x' != $none", "true"),
        ("1 ne 2", "true"),
        ("1 eq 1", "true"),
        ("2 > 1", "true"),
        ("2 lt 1", "false"),
        ("2 >= 2", "true"),
        ("2 le 1.9", "false"),
        ("!true || true", "true"),
        ("not true and false", "false"),
        ("true or $nothing.here > 1", "true"),
        ("false && 1 > 'x'", "false"),
        ("true && false || true", "true"),
        ("1 + 1 == 2 && 3 > 2", "true"),
        ("!$none", "true"),
    ],
)
def test_expressions(expression: str, expected: str) -> None:
    """AWS: "Mapping template transformations for REST APIs"; Velocity: "Directives", "#set"."""
    assert text(f"#set($one = 1)#set($x = {expression})$x") == expected


@pytest.mark.parametrize(
    ("template", "expected", "body"),
    [
        case("#if(true)a#{else}b#end", "a", name="if"),
        case("#if($none)a#{else}b#end", "b", name="an undefined condition"),
        case("#if('x')a#end", "a", name="a value is true"),
        case("#if(false)a#elseif(1 == 1)b#elseif(true)c#{else}d#end", "b", name="elseif"),
        case("#if( true )\na\n#else\nb\n#end\nc", "a\nc", name="a directive takes its line's end"),
        case("#{if}(true)a#{end}b", "ab", name="formal directives"),
        case("#if(true)#if(false)a#{else}b#end#{else}c#end", "b", name="nested"),
        case("#foreach($x in [1..3])$x#if($foreach.hasNext),#end#end", "1,2,3", name="hasNext"),
        case(
            "#foreach($x in ['a', 'b'])$velocityCount$foreach.count$foreach.index"
            "$foreach.first$foreach.last #end$!x$!foreach",
            "110truefalse 221falsetrue ",
            name="foreach's variables",
        ),
        case("#set($x = 9)#foreach($x in [1])#end$x", "9", name="the loop's variable is restored"),
        case("#foreach($x in $none)a#end#foreach($x in 5)a#end", "", name="nothing to go through"),
        case('#foreach($v in {"a": 1, "b": 2})$v#end', "12", name="a map's values"),
        case(
            "#foreach($e in $input.path('$').entrySet())$e.key=$e.getValue();#end",
            "a=1;b=x;",
            '{"a":1,"b":"x"}',
            name="a map's entries",
        ),
        case("#foreach($x in [1..9])#if($x == 3)#break#end$x#end.", "12.", name="break"),
        case(
            "#foreach($x in [1..2])#foreach($y in [1..2])$foreach.parent.count$y #end#end",
            "11 12 21 22 ",
            name="nested loops",
        ),
        case("a#stop b", "a", name="stop"),
        case("#macro(twice $a $b)$a$b$a#end#twice('x' 1)#twice( 2, 'y' )", "x1x2y2", name="macro"),
        case("#macro(m $a)\n#set($b = $a)\n#end\n#m(7)$b$!a", "7", name="a macro's variables"),
        case("#set($m = {})#set($m.a = 1)#set($m['b'] = 2)$m", "{a=1, b=2}", name="set members"),
        case("#set($l = [1, 2])#set($l[0] = 5)$l", "[5, 2]", name="set an element"),
        case("a#set( $x = 1 )  \nb", "ab", name="a #set takes its line's end"),
    ],
)
def test_directives(template: str, expected: str, body: str) -> None:
    """AWS: "Mapping template transformations for REST APIs"; Velocity: "Directives"."""
    assert text(template, body) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("$s.length()", "4"),
        ("$s.matches('aB')", "false"),
        ("$s.matches('.B[0-9]x')", "true"),
        ("$digit.matches('[0-9]')", "false"),
        ("$s.contains('B')", "true"),
        ("$s.startsWith('aB')", "true"),
        ("$s.endsWith('1x')", "true"),
        ("$s.isEmpty()", "false"),
        ("$s.empty", "false"),
        ("$s.equals('aB1x')", "true"),
        ("$s.equalsIgnoreCase('AB1X')", "true"),
        ("$s.indexOf('x')", "3"),
        ("$s.indexOf('y')", "-1"),
        ("$s.indexOf('a', -1)", "0"),
        ("$s.indexOf('', 9)", "4"),
        ("$s.lastIndexOf('x')", "3"),
        ("$s.substring(1)", "B1x"),
        ("$s.substring(0, 2)", "aB"),
        ("$s.charAt(1)", "B"),
        ("$s.toUpperCase()", "AB1X"),
        ("$s.toLowerCase()", "ab1x"),
        ("$s.concat('!').trim()", "aB1x!"),
        ("$s.replace('B', '.')", "a.1x"),
        ("$s.replaceAll('[0-9]', '-')", "aB-x"),
        ("$s.replaceAll('([a-z])(B)', '$2$1')", "Ba1x"),
        ("$s.replaceFirst('[a-z]', '_')", "_B1x"),
        ("$s.split('[0-9]')[1]", "x"),
        ("$s.split('x').size()", "1"),
        ("$s.split(',').size()", "1"),
        ("#set($x = ',,')$x.split(',').size()", "0"),
        ("#set($x = '')$x.split(',').size()", "1"),
        ("$n.toString().length()", "2"),
        ("$n.parseInt('12')", "12"),
        ("$l.size()", "3"),
        ("$l.get(1)", "b"),
        ("$l[-1]", "c"),
        ("$l.isEmpty()", "false"),
        ("$l.contains('b')", "true"),
        ("$l.indexOf('c')", "2"),
        ("#set($x = [true])$x.contains(1)", "false"),
        ("#set($x = [1, [1]])$x.contains(1.0)$x.contains([1.0])", "falsefalse"),
        ("#set($x = [0, 1.0, 1, [1]])$x.indexOf(1)$x.indexOf([1])", "23"),
        ("#set($x = {'a': 1})$x.containsValue(true)$x.equals({'a': 1.0})", "falsefalse"),
        ("#set($x = {'a': [1]})$x.containsValue([1])$x.equals({'a': [1]})", "truetrue"),
        ("#set($x = true)$x.equals('true')$x.equals(true)$n.equals(42)", "falsetruetrue"),
        ("$l.subList(0, 2)", "[a, b]"),
        ("$l.add('d')$l", "true[a, b, c, d]"),
        ("$l.set(0, 'z')$l[0]", "az"),
        ("$l.addAll(['d', 'e'])$l.size()", "true5"),
        ("$!n.foo|$!s.foo|$!l.foo|", "|||"),
        ("#set($x = $l == ['a', 'b', 'c'])$x", "true"),
        ("$m.k", "v"),
        ("$m['k']", "v"),
        ("$m.get('k')", "v"),
        ("$!m.get('none')$!m.none", ""),
        ("$m.getOrDefault('none', 'other')", "other"),
        ("$m.size()$m.isEmpty()$m.containsKey('k')$m.containsValue('v')", "1falsetruetrue"),
        ("$m.keySet()$m.values()$m.entrySet()", "[k][v][k=v]"),
        ("$!m.put('k', 'w')$m", "v{k=w}"),
        ("$!m.putAll({'a': 1})$!m.remove('k')$m", "v{a=1}"),
    ],
)
def test_java_members(expression: str, expected: str) -> None:
    """AWS: "Mapping template transformations for REST APIs"; Java: String, List, Map."""
    before = "#set($s = 'aB1x')#set($n = 42)#set($l = ['a', 'b', 'c'])#set($m = {'k': 'v'})"
    assert text(before + "#set($digit = '٣')" + expression) == expected


def test_a_loop_has_at_most_1000_iterations() -> None:
    """AWS: "Amazon API Gateway quotas", iterations in a #foreach ... #end loop."""
    assert text("#foreach($x in [1..1000])#end$!x") == ""
    with pytest.raises(RenderError, match="1001 items; API Gateway allows 1000"):
        text("#foreach($x in [1..1001])#end")


@given(st.text(st.characters(exclude_characters="$#\\", exclude_categories=["Cs"])))
def test_text_without_dollars_and_hashes_is_itself(plain: str) -> None:
    assert Template(plain).render({}) == plain


@given(st.text(st.sampled_from("$#{}()[]!ab.'\" =ifendsetforch1,\\|"), max_size=40))
def test_any_text_renders_or_says_why(template: str) -> None:
    with contextlib.suppress(RenderError):
        assert isinstance(Template(template).render({"a": 1}), str)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_is_printed_with_as_few_digits_as_tell_it_apart(value: float) -> None:
    """Java: Double.toString."""
    shown = double_text(value)
    mantissa, _, exponent = shown.partition("E")
    assert float(shown) == value
    assert math.copysign(1, float(mantissa)) == math.copysign(1, value)
    assert (exponent == "") == (value == 0 or 1e-3 <= abs(value) < 1e7)
    if exponent:
        assert re.fullmatch(r"-?[1-9]\.(0|[0-9]*[1-9])", mantissa)
        places = len(mantissa.removesuffix(".0").partition(".")[2])
        assert places == 0 or float(f"{value:.{places - 1}e}") != value


@given(st.integers(), st.integers(), st.sampled_from(["+", "-", "*", "<", "==", ">="]))
def test_integers_never_lose_digits(left: int, right: int, sign: str) -> None:
    expected = {
        "+": left + right,
        "-": left - right,
        "*": left * right,
        "<": left < right,
        "==": left == right,
        ">=": left >= right,
    }[sign]
    template = Template(f"#set($x = $a {sign} $b)$x")
    assert template.render({"a": left, "b": right}) == str(expected).lower()
