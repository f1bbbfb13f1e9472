"""Velocity as API Gateway speaks it, JSONPath, and JSON values that print as Java prints them."""

from typing import Any

import pytest

from deploy.local import json_values, jsonpath, vtl

PARAMETERS = {
    "path": {"id": "p"},
    "querystring": {"id": "q", "page": "2"},
    "header": {"X-One": "h"},
}


def rendered(template: str, body: str = "", **context: Any) -> vtl.Rendering:
    return vtl.render(
        template,
        source=vtl.Input(body, PARAMETERS),
        context=context,
        stage_variables={"colour": "blue"},
    )


@pytest.mark.parametrize(
    ("template", "body", "expected"),
    [
        pytest.param('{"a":1}', "", '{"a":1}', id="no Velocity in it"),
        pytest.param("$input.body", "", "{}", id="an empty body shows as {}"),
        pytest.param("$input.body", "raw $x #if", "raw $x #if", id="a body is not a template"),
        pytest.param("$input.path('$.a.b')", '{"a":{"b":"c"}}', "c", id="path"),
        pytest.param(
            "$input.path('$.a')", f'{{"a":{2**63 + 1}}}', "9223372036854775809", id="big integer"
        ),
        pytest.param("$input.path('$.a')", '{"a":1.50}', "1.50", id="digits of a fraction"),
        pytest.param("$input.path('$.a')", '{"a":true}', "true", id="boolean"),
        pytest.param(
            "$input.path('$.a')", '{"a":{"b":[1,"x"]}}', "{b=[1, x]}", id="as Java prints"
        ),
        pytest.param(
            "$input.json('$.a')",
            '{"a":{"b":[1,"x",null,false]}}',
            '{"b":[1,"x",null,false]}',
            id="json",
        ),
        pytest.param("$input.json('$.a')", '{"a":"q\\""}', '"q\\""', id="json of a string"),
        pytest.param("$!input.path('$.none')|", "{}", "|", id="quiet reference"),
        pytest.param("$input.path('$.l').size()", '{"l":[1,2]}', "2", id="size"),
        pytest.param(
            "#foreach($x in $input.path('$.l'))$x;#end", '{"l":[1,2]}', "1;2;", id="foreach"
        ),
        pytest.param(
            "$input.params('id') $input.params('page') $input.params('X-One')",
            "",
            "p 2 h",
            id="params: path, query, header",
        ),
        pytest.param("$input.params('none')|", "", "|", id="no such parameter"),
        pytest.param("$input.params().querystring.get('id')", "", "q", id="params by kind"),
        pytest.param("$stageVariables.colour", "", "blue", id="stage variable"),
        pytest.param("$util.escapeJavaScript('a\"b')", "", 'a\\"b', id="escapeJavaScript"),
        pytest.param("$util.urlEncode('a b&')", "", "a+b%26", id="urlEncode"),
        pytest.param("$util.urlDecode('a+b%26')", "", "a b&", id="urlDecode"),
        pytest.param("$util.base64Encode('né')", "", "bsOp", id="base64Encode"),
        pytest.param("$util.base64Decode('bsOp')", "", "né", id="base64Decode"),
        pytest.param("$util.parseJson('{\"a\":[7]}').a[0]", "", "7", id="parseJson"),
        pytest.param("$context.requestId", "", "id-1", id="context"),
    ],
)
def test_rendering(template: str, body: str, expected: str) -> None:
    assert rendered(template, body, requestId="id-1").text == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'abc'.length()", "3"),
        ("'abc'.matches('ab')", "false"),
        ("'abc'.matches('a.c')", "true"),
        ("'٣'.matches('[0-9]')", "false"),
        ("'abc'.contains('b')", "true"),
        ("'abc'.startsWith('ab')", "true"),
        ("'abc'.endsWith('bc')", "true"),
        ("'abc'.isEmpty()", "false"),
        ("'abc'.equals('abc')", "true"),
        ("'abc'.indexOf('c')", "2"),
        ("'abc'.substring(1)", "bc"),
        ("'abc'.substring(0, 2)", "ab"),
        ("' a '.trim()", "a"),
        ("'aBc'.toUpperCase()", "ABC"),
        ("'aBc'.toLowerCase()", "abc"),
        ("'aBc'.toString()", "aBc"),
        ("'a1b2'.replaceAll('[0-9]', '-')", "a-b-"),
        ("'a1'.replaceAll('([a-z])([0-9])', '$2$1')", "1a"),
    ],
)
def test_java_strings(expression: str, expected: str) -> None:
    text, _, call = expression.partition("'.")
    assert rendered(f"#set($s = {text}')$s.{call}").text.lower() == expected.lower()


def test_overrides() -> None:
    template = (
        "#set($context.responseOverride.status = 418)"
        "#set($context.responseOverride.header.Tea = 'pot')ok"
    )
    assert rendered(template) == vtl.Rendering(text="ok", status=418, headers={"Tea": "pot"})
    assert rendered("plain $context.x").status is None


@pytest.mark.parametrize(
    ("template", "body", "reason"),
    [
        pytest.param("#if($x", "", "TemplateSyntaxError", id="syntax"),
        pytest.param("$input.path('$.a')", "{", "JSONDecodeError", id="body is not JSON"),
        pytest.param("$input.path('$..a')", "{}", "is not understood", id="unknown JSONPath"),
        pytest.param("$input.path('a')", "{}", "starts with", id="no JSONPath"),
        pytest.param("$util.base64Decode('!')", "", "Error", id="not base64"),
        pytest.param("$input.body.matches('[')", "", "error", id="bad regex"),
        *[
            pytest.param(
                f"#set($context.responseOverride.status = {value})",
                '{"a":1.0,"b":true,"c":null,"d":"404"}',
                f"ValueError: .*status is set to .*{shown}.*, no HTTP status",
                id=f"status {value}",
            )
            for value, shown in (
                ("'x'", "x"),
                ("'404'", "404"),
                ("99", "99"),
                ("600", "600"),
                ("-404", "-404"),
                ("true", "True"),
                ("$input.path('$.a')", "1.0"),
                ("$input.path('$.b')", "1"),
                ("$input.path('$.c')", "None"),
                ("$input.path('$.d')", "404"),
            )
        ],
        pytest.param(
            "#set($context.responseOverride.status = 404)"
            "#if(true)#set($context.responseOverride.status = 404)#end",
            "",
            "status is set twice",
            id="status twice",
        ),
        pytest.param(
            "#set($context.responseOverride.header.Tea = '1')"
            "#set($context.responseOverride.header.tea = '2')",
            "",
            "header.tea is set twice",
            id="header twice",
        ),
        pytest.param(
            "#set($context.responseOverride.code = 404)",
            "",
            "responseOverride.code is nothing to set",
            id="no such override",
        ),
    ],
)
def test_a_failing_template_says_why(template: str, body: str, reason: str) -> None:
    with pytest.raises(vtl.RenderError, match=reason):
        rendered(template, body)


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
