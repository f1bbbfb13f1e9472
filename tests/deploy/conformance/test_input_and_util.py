"""`$input`, `$util` and `$stageVariables`, and the JSON and JSONPath under them.

AWS: "API Gateway mapping template and access logging variable reference" (now "Variables for data
transformations for API Gateway").
"""

import base64
import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, MultiDict

from deploy.local import json_values
from deploy.local.gateway import jsonpath
from deploy.local.gateway.velocity import RenderError
from tests.deploy.conformance.templates import text

PETS = '{"pets":[{"id":1,"type":"dog","price":249.99},{"id":2,"type":"cat","price":124.99}]}'
COLOURS = '{"a":{"b":"c"},"l":[1,"x",null,false],"t":true,"big":9223372036854775809,"f":1.50}'


@pytest.mark.parametrize(
    ("template", "body", "expected"),
    [
        pytest.param("$input.body", "", "{}", id="an empty body shows as {}"),
        pytest.param("$input.body", "raw $x #if", "raw $x #if", id="a body is not a template"),
        pytest.param("$input.path('$.a.b')", COLOURS, "c", id="path"),
        pytest.param("$input.path('$').a.b", COLOURS, "c", id="members of an object"),
        pytest.param("$input.path('$.big')", COLOURS, "9223372036854775809", id="big integer"),
        pytest.param("$input.path('$.f')", COLOURS, "1.50", id="every digit of a fraction"),
        pytest.param("$input.path('$.t')", COLOURS, "true", id="boolean"),
        pytest.param("$input.path('$.a')", COLOURS, "{b=c}", id="an object prints as Java's map"),
        pytest.param("$input.path('$.l')", COLOURS, '[1,"x",null,false]', id="a list as JSON"),
        pytest.param("$input.path('$.none')", COLOURS, "$input.path('$.none')", id="nothing"),
        pytest.param("$!input.path('$.none')|", COLOURS, "|", id="nothing, quietly"),
        pytest.param("$input.path('$.pets').size()", PETS, "2", id="size"),
        pytest.param("$input.path('$.pets').count()", PETS, "2", id="count"),
        pytest.param("$input.path('$.pets')[1].type", PETS, "cat", id="an element's member"),
        pytest.param(
            "#set($all = $input.path('$'))#foreach($pet in $all.pets)"
            '{"id":$pet.id,"price":$pet.price}#if($foreach.hasNext),#end#end',
            PETS,
            '{"id":1,"price":249.99},{"id":2,"price":124.99}',
            id="a list of objects",
        ),
        pytest.param(
            "$input.path('$').keySet()$input.path('$').get('a').entrySet()",
            '{"a":{"b":1}}',
            "[a][b=1]",
            id="keys and entries",
        ),
        pytest.param("$input.json('$.l')", COLOURS, '[1,"x",null,false]', id="json"),
        pytest.param("$input.json('$.a')", COLOURS, '{"b":"c"}', id="json of an object"),
        pytest.param('$input.json("$.a.b")', COLOURS, '"c"', id="json of a string, quoted"),
        pytest.param("$input.json('$.n')", '{"n":null}', "null", id="json of null"),
        pytest.param("$input.json('$')", "", "{}", id="json of an empty body"),
    ],
)
def test_the_payload(template: str, body: str, expected: str) -> None:
    """AWS: "API Gateway mapping template and access logging variable reference", `$input`."""
    assert text(template, body) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        pytest.param("$input.params('id')", "from the path", id="the path comes first"),
        pytest.param("$input.params('page')", "2", id="then the query string"),
        pytest.param("$input.params('X-One')", "1", id="then the headers"),
        pytest.param("$input.params('x-one')|", "|", id="names are case-sensitive"),
        pytest.param("$input.params('none')|", "|", id="no such parameter"),
        pytest.param("$input.params().path.id", "from the path", id="the path's map"),
        pytest.param("$input.params().querystring.get('id')", "from the query", id="the query's"),
        pytest.param("$input.params().header.get('X-One')", "1", id="the headers'"),
        pytest.param("$input.params().header.X-One", "1", id="a name with a hyphen"),
        pytest.param("$!input.params().header.X-None|", "|", id="an absent name with a hyphen"),
        pytest.param("$input.params().keySet()", "[path, querystring, header]", id="the kinds"),
        pytest.param("$input.params('the-name')|", "|", id="no such name with a hyphen"),
    ],
)
def test_the_parameters(template: str, expected: str) -> None:
    """AWS: "API Gateway mapping template and access logging variable reference", `$input`.

    Case: AWS: "Amazon API Gateway important notes".
    """
    assert text(template) == expected


def test_of_a_parameter_that_comes_twice_the_last_counts() -> None:
    """AWS: "Amazon API Gateway important notes" supports no duplicates; the choice is ours."""
    query = MultiDict([("a", "1"), ("a", "2"), ("A", "3")])
    headers = CIMultiDict([("X-A", "4"), ("X-A", "5"), ("x-a", "6")])
    template = "$input.params('a')$input.params('X-A')$input.params().querystring"
    assert text(template, query=query, headers=headers) == "25{a=2, A=3}"


def test_every_parameter_as_json() -> None:
    """AWS: "Examples using variables for mapping template transformations", example 2."""
    template = """#set($allParams = $input.params())
{"params" : {
#foreach($type in $allParams.keySet())
    #set($params = $allParams.get($type))
"$type" : {
    #foreach($paramName in $params.keySet())
    "$paramName" : "$util.escapeJavaScript($params.get($paramName))"
        #if($foreach.hasNext),#end
    #end
}
    #if($foreach.hasNext),#end
#end
}}"""
    rendered = text(template, query={"q": 'say "hi"'}, headers={"Accept": "*"})
    assert json.loads(rendered) == {
        "params": {
            "path": {"id": "from the path"},
            "querystring": {"q": 'say "hi"'},
            "header": {"Accept": "*"},
        }
    }


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        pytest.param("$stageVariables.colour", "blue", id="by name"),
        pytest.param("${stageVariables.colour}", "blue", id="formal"),
        pytest.param("$stageVariables['the-size']", "10", id="by index"),
        pytest.param("${stageVariables['the-size']}", "10", id="by index, formal"),
        pytest.param("$!stageVariables.none|", "|", id="no such variable"),
    ],
)
def test_stage_variables(template: str, expected: str) -> None:
    """AWS: "API Gateway stage variables reference for REST APIs in API Gateway"."""
    assert text(template) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        pytest.param("$util.escapeJavaScript('a\"b')", 'a\\"b', id="double quote"),
        pytest.param('$util.escapeJavaScript("it\'s")', "it\\'s", id="single quote"),
        pytest.param(r"$util.escapeJavaScript('a\b/c')", r"a\\b\/c", id="backslash and slash"),
        pytest.param(
            "$util.escapeJavaScript($util.urlDecode('%0A%09%C3%A9'))", r"\n\t\u00e9", id="control"
        ),
        pytest.param(
            '$util.escapeJavaScript($input.body).replaceAll("\\\\\'","\'")',
            '{\\"a\\":\\"it\'s\\"}',
            id="the documented way to JSON",
        ),
        pytest.param("$util.parseJson('{\"a\":[7]}').a[0]", "7", id="parseJson"),
        pytest.param("$util.parseJson('[1,2]').size()", "2", id="parseJson of a list"),
        pytest.param("$util.urlEncode('a b&é*~')", "a+b%26%C3%A9*%7E", id="urlEncode"),
        pytest.param("$util.urlDecode('a+b%26%C3%A9')", "a b&é", id="urlDecode"),
        pytest.param("$util.base64Encode('né')", "bsOp", id="base64Encode"),
        pytest.param("$util.base64Decode('bsOp')", "né", id="base64Decode"),
    ],
)
def test_util(template: str, expected: str) -> None:
    """AWS: "API Gateway mapping template and access logging variable reference", `$util`."""
    assert text(template, '{"a":"it\'s"}') == expected


def test_parse_json_of_a_string_in_the_payload() -> None:
    """AWS: "API Gateway mapping template and access logging variable reference", `$util`."""
    body = json.dumps({"errorMessage": '{"key1":"var1","key2":{"arr":[1,2,3]}}'})
    template = (
        "#set($errorMessageObj = $util.parseJson($input.path('$.errorMessage')))\n"
        '{"errorMessageObjKey2ArrVal" : $errorMessageObj.key2.arr[0]}'
    )
    assert text(template, body) == '{"errorMessageObjKey2ArrVal" : 1}'


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_util_is_undone(plain: str) -> None:
    """AWS: "API Gateway mapping template and access logging variable reference", `$util`."""
    body = json.dumps({"a": plain})
    escaped = "$util.escapeJavaScript($input.path('$.a')).replaceAll(\"\\\\'\", \"'\")"
    assert json.loads(f'"{text(escaped, body)}"') == plain
    encoded = text("$util.base64Encode($input.path('$.a'))", body)
    assert base64.b64decode(encoded).decode() == plain
    assert urllib.parse.unquote_plus(text("$util.urlEncode($input.path('$.a'))", body)) == plain


@pytest.mark.parametrize(
    ("template", "body", "reason"),
    [
        pytest.param("$input.path('$.a')", "{", "the payload is not JSON", id="body is not JSON"),
        pytest.param("$input.json('$.b')", '{"a":null}', "nothing is at", id="json of nothing"),
        pytest.param("$input.json('$.a')", '{"a":NaN}', "NaN is not JSON", id="NaN"),
        pytest.param("$input.path('$..a')", "{}", "is not understood", id="unknown JSONPath"),
        pytest.param("$input.path('a')", "{}", "starts with", id="no JSONPath"),
        pytest.param("$util.base64Decode('!')", "", "Error", id="not base64"),
        pytest.param("$util.urlDecode('%FF')", "", "UnicodeDecodeError", id="not UTF-8"),
        pytest.param("$util.escapeJavaScript(1)", "", "a string is expected", id="no string"),
        pytest.param("$util.parseJson('{')", "", "JSONDecodeError", id="not JSON"),
        pytest.param("$input.params('a', 'b')", "", "TypeError", id="too many arguments"),
    ],
)
def test_what_fails_says_why(template: str, body: str, reason: str) -> None:
    """AWS documents no answer for these: a template that fails is a 500."""
    with pytest.raises(RenderError, match=reason):
        text(template, body)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", {"a": {"b-c": [1, {"d": 2}]}, "__type": "t", "q'": 3}),
        ("$.a.b-c[0]", 1),
        ("$.a['b-c'][-1].d", 2),
        ('$["a"]["b-c"][1]["d"]', 2),
        ("$.__type", "t"),
        ("$['q\\'']", 3),
        ("$.a.b-c[5]", None),
        ("$.a.x.y", None),
        ("$.__type.x", None),
        ("$.a.b-c[*]", [1, {"d": 2}]),
        ("$.a.*[1].d", [2]),
        ("$.__type.*", []),
    ],
)
def test_jsonpath(path: str, expected: object) -> None:
    document = json_values.parse('{"a":{"b-c":[1,{"d":2}]},"__type":"t","q\'":3}')
    assert jsonpath.find(document, path) == expected


@pytest.mark.parametrize(
    "text", ["null", "true", "[1,2.50,1e3]", '{"a":{"b":[false,"ü\\n"]}}', "12345678901234567890"]
)
def test_json_is_written_as_it_was_read(text: str) -> None:
    assert json_values.dump(json_values.parse(text)) == text
