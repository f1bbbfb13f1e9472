"""What a template asks for and cannot be rendered faithfully: it fails, and says why.

AWS: "Mapping template transformations for REST APIs in API Gateway" names no version of Velocity.
"""

import pytest

from deploy.local.gateway.velocity import RenderError
from tests.deploy.conformance.templates import text


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("#if($x", "line 1, column 7: expected \\)"),
        ("a\n #if(true)b", "line 2, .*an #if without its #end"),
        ("#end", "#end without its beginning"),
        ("#foreach($x in [1])", "a #foreach without its #end"),
        ("#set($x.f() = 1)", "#set needs a variable or a property"),
        ("#set($x = null)", "expected a value"),
        ("${a", "expected } at the end"),
        ("#parse('x')", "#parse is not supported"),
        ("#define($x)a#end", "#define is not supported"),
        ("#* never ends", "without its end"),
        ("#[[ never ends", "without its end"),
        ("#@m()a#end", "without its end, or a #@macro"),
        ("#set($a = {[1]: 2})", "TypeError"),
        ("a\n#set($a = 1 + $none)", r"line 2, #set\(\$a\): a number \+ null: both must be"),
        ("#nope(1)", "no macro nope"),
        ("#macro(m $a)$a#end#m()", "takes 1 arguments"),
        ("#macro(m)#m()#end#m()", "calls itself without end"),
        ("#break", "#break outside"),
        (r"\\$a", "backslashes"),
        (r"\#if(true)a#end", "backslashes"),
        (r"\$a", "has no value: Velocity's versions differ"),
        (r"#set($a = '\u0041')", "versions read differently"),
        ("#if('')a#end", "empty or zero .* compare it instead"),
        ("#if(0)a#end", "empty or zero"),
        ("#if([])a#end", "empty or zero"),
        ("#set($a = 1)#set($a = $none)", "Velocity 1 keeps"),
        ("#set($a = 1)$a-1", r"\$a-1 has no value; is the hyphen"),
        ("#set($a = 'x')#if($a > 1)b#end", "both must be numbers"),
        ("#set($a = 'x' + $none)", "null: the reference has no value"),
        ("#set($a = 1 / 0)", "division by zero"),
        ("#set($a = [1..'x'])", "one integer to another"),
        ("#set($a = [1])$a[3]", "index 3 of a list of 1"),
        ("#set($a = 'x')$a.substring(2)", r"substring\(2, 1\)"),
        ("#set($a = 'x')$a.upper()", r"a string has no upper\(\)"),
        ("#set($a = 'x')$a.class", "class"),
        ("#set($a = 'x')$a.matches('[')", "unterminated"),
        ("#set($a = 'x')$a.matches('[a-z&&[^x]]')", "something else to Java"),
        ("#set($a = 'x')$a.replaceAll('x', '$')", "lone"),
        ("#set($a = 'x y')$a.split(' ')", "Java array has no text"),
        ("#set($a = 'x')$a.bytes", "bytes is out of reach"),
        ("#set($a = 'x')$a[0]", "a string has no elements"),
        ("#set($a = [1])$a['x']", "a list's index is a number, not a string"),
        ("#set($a = $util.urlDecode('%0D'))$a.matches('.')", "carriage return"),
        ("#set($a = 'a-b')$a.split('(-)')", "Java splits there differently"),
        ("#set($a = '\U0001f600')$a.length()", "beyond 16 bits"),
        ("#set($n = 1)$n.parseInt('x')", "not an integer"),
        ("#macro(m)#end#macro(m)#end", "defined twice"),
        ("$input", r"\$input has no text"),
        ("$input._document", r"\$input has no _document"),
        ("$input.__class__", r"\$input has no __class__"),
        ("$util.toJson('x')", r"\$util has no toJson"),
        ("#set($none.a = 1)", "what holds it is null"),
        ("#set($stageVariables.a = 1)", "nothing to set"),
        ("$stageVariables.put('a', 1)", r"has no put\(\)"),
    ],
)
def test_what_cannot_be_rendered_faithfully_fails(template: str, reason: str) -> None:
    """Never a silently wrong output: bad syntax, unknown members, what Velocity's versions dispute.

    AWS: "Mapping template transformations for REST APIs in API Gateway" names no version.
    """
    with pytest.raises(RenderError, match=reason):
        text(template)
