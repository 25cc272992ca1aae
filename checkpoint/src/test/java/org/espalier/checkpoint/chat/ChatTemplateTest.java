package org.espalier.checkpoint.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.espalier.core.UserError;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Templates in the manner of published ones, and what transformers' documentation says of how they are written out:
 * {@code trim_blocks} and {@code lstrip_blocks} are on.
 */
class ChatTemplateTest {
    private static final Map<String, String> SPECIAL =
            Map.of("bos_token", "<s>", "eos_token", "</s>");
    private static final Map<String, Object> SYSTEM = message("system", "Be kind.");
    private static final Map<String, Object> USER = message("user", " Hi {{ x }} ");
    private static final Map<String, Object> ANSWER = message("assistant", "Hello\n");
    private static final List<Map<String, Object>> CHAT = List.of(SYSTEM, USER, ANSWER);

    @Test
    void chatMl() {
        String template =
                """
                {% for message in messages %}
                    {% if loop.first and messages[0]['role'] != 'system' %}
                        {{ '<|im_start|>system\\nYou are a helpful assistant<|im_end|>\\n' }}
                    {% endif %}
                    {{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' -}}
                {% endfor %}
                {% if add_generation_prompt %}
                    {{ '<|im_start|>assistant\\n' }}
                {% endif %}\
                """;
        assertThat(render(template, CHAT))
                .isEqualTo(
                        """
                        <|im_start|>system
                        Be kind.<|im_end|>
                        <|im_start|>user
                         Hi {{ x }} <|im_end|>
                        <|im_start|>assistant
                        Hello
                        <|im_end|>
                        """);
    }

    @Test
    void llama2WithASystemMessage() {
        String template =
                "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
                        + "{% set system_message = messages[0]['content'] %}{% else %}"
                        + "{% set loop_messages = messages %}{% set system_message = false %}{% endif %}"
                        + "{% for message in loop_messages %}"
                        + "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
                        + "{{ raise_exception('Conversation roles must alternate') }}{% endif %}"
                        + "{% if loop.index0 == 0 and system_message != false %}"
                        + "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}"
                        + "{% else %}{% set content = message['content'] %}{% endif %}"
                        + "{% if message['role'] == 'user' %}"
                        + "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
                        + "{% elif message['role'] == 'assistant' %}"
                        + "{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}";
        assertThat(render(template, CHAT))
                .isEqualTo(
                        "<s>[INST] <<SYS>>\nBe kind.\n<</SYS>>\n\n Hi {{ x }} [/INST] Hello </s>");
        assertThatThrownBy(() -> render(template, List.of(ANSWER)))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("refuses it: Conversation roles must alternate");
    }

    @Test
    void llama3WithADate() {
        String template =
                """
                {{- bos_token }}
                {%- if not date_string is defined %}
                    {%- if strftime_now is defined %}
                        {%- set date_string = strftime_now("%d %b %Y") %}
                    {%- else %}
                        {%- set date_string = "26 Jul 2024" %}
                    {%- endif %}
                {%- endif %}
                {#- A comment -#}
                {%- if messages[0]['role'] == 'system' %}
                    {%- set system_message = messages[0]['content']|trim %}
                    {%- set messages = messages[1:] %}
                {%- else %}
                    {%- set system_message = "" %}
                {%- endif %}
                {{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
                {{- "Today Date: " + date_string + "\\n\\n" }}
                {{- system_message }}
                {{- "<|eot_id|>" }}
                {%- for message in messages %}
                    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
                        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
                    {%- endif %}
                {%- endfor %}\
                """;
        assertThat(render(template, CHAT))
                .isEqualTo(
                        "<s><|start_header_id|>system<|end_header_id|>\n\nToday Date: 26 Jul 2024\n\nBe kind.<|eot_id|>"
                                + "<|start_header_id|>user<|end_header_id|>\n\nHi {{ x }}<|eot_id|>"
                                + "<|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|>");
    }

    @Test
    void qwenLooksBackAndCutsThoughts() {
        String template =
                """
                {%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
                {%- for message in messages[::-1] %}
                    {%- set index = (messages|length - 1) - loop.index0 %}
                    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
                        {%- set ns.multi_step_tool = false %}
                        {%- set ns.last_query_index = index %}
                    {%- endif %}
                {%- endfor %}
                {%- for message in messages %}
                    {%- set content = message.content %}
                    {%- if '</think>' in content %}
                        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
                    {%- endif %}
                    {{- message.role ~ (loop.index0 > ns.last_query_index) ~ content.rstrip('\\n') }}
                    {%- if not loop.last %}{{ '|' }}{% endif %}
                {%- endfor %}\
                """;
        List<Map<String, Object>> chat =
                List.of(USER, message("assistant", "<think>\nhm\n</think>\n\nYes\n"));
        assertThat(render(template, chat)).isEqualTo("userFalse Hi {{ x }} |assistantTrueYes");
    }

    @Test
    void gemmaRenamesAndMistralSlices() {
        String gemma =
                "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}"
                        + "{% endif %}{% for message in messages %}{% if (message['role'] == 'assistant') %}"
                        + "{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}"
                        + "{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}"
                        + "{% endfor %}";
        assertThat(render(gemma, List.of(USER, ANSWER)))
                .isEqualTo(
                        "<s><start_of_turn>user\nHi {{ x }}<end_of_turn>\n<start_of_turn>model\nHello<end_of_turn>\n");
        assertThatThrownBy(() -> render(gemma, CHAT))
                .hasMessageContaining("System role not supported");
        String mistral =
                "{{ bos_token }}{% for message in messages[-2:] %}{% if message['role'] == 'user' %}"
                        + "{{ '[INST] ' + message['content'] + ' [/INST]' }}{% else %}"
                        + "{{ message['content'] + eos_token}}{% endif %}{% endfor %}";
        assertThat(render(mistral, CHAT)).isEqualTo("<s>[INST]  Hi {{ x }}  [/INST]Hello\n</s>");
    }

    @Test
    void zephyrKeepsItsLines() {
        String template =
                "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\\n' + message['content']"
                        + " + eos_token }}\n{% elif message['role'] == 'assistant' %}\n{% generation %}"
                        + "{{ '<|assistant|>\\n'  + message['content'] + eos_token }}{% endgeneration %}\n"
                        + "{% endif %}\n{% endfor %}";
        assertThat(render(template, List.of(USER, ANSWER)))
                .isEqualTo("<|user|>\n Hi {{ x }} </s>\n<|assistant|>\nHello\n</s>");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            value = {
                "{{ {'a': [1, 'é', none, true], 'b': {}}|tojson }}~{\"a\": [1, \"é\", null, true], \"b\": {}}",
                "{{ 'a b'.title() }}{{ 'x,y'.split(',')|join('-') }}~A Bx-y",
                "{% for k, v in {'a': 1}.items() %}{{ k }}{{ v }}{% endfor %}~a1",
                "{%- macro twice(x) %}{{ x }}{{ x }}{% endmacro %}{{ twice('q') }}~qq",
                "{{ messages|selectattr('role', 'equalto', 'user')|list|length }}~1",
                "{{ 'yes' if tools is not defined or tools is none else 'no' }}~yes",
                "{{ strftime_now('%d %B %Y %H') }}~26 July 2024 00"
            })
    void expressions(String template, String expected) {
        assertThat(render(template, CHAT)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{{ ''.getClass() }}",
                "{{ ''.getClass().forName('java.lang.Runtime') }}",
                "{{ messages.getClass() }}",
                "{% include '/etc/passwd' %}",
                "{% import '/etc/passwd' as x %}",
                "{{ undefined_function() }}",
                "{% for m in messages %}",
                "{% set n = namespace(x='aaaaaaaa') %}{% for i in range(90) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
                "{% for i in range(5000) %}{% for j in range(5000) %}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{% endfor %}{% endfor %}",
                "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
                "{% set x = [1] %}{% for i in range(99) %}{% set x = [x, x] %}{% endfor %}{{ undefined.x }}",
                "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
                "{% set n = namespace(x='aaaa') %}{% for i in range(60) %}{% set n.x = n.x.replace('a', n.x) %}{% endfor %}",
                "{% set n = namespace(x=[1]) %}{% for i in range(90000) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x }}",
                "{{ messages[0].role | nothing }}",
                "{{ 'never ends }}",
                "{% if x %}",
                "{{ ((((1)) }}",
                "{{ 1 // 0 }}"
            })
    void strangersReachNothing(String template) {
        assertThatThrownBy(() -> render(template, CHAT))
                .isInstanceOf(UserError.class)
                .hasMessageStartingWith("the model's chat template ")
                .satisfies(e -> assertThat(String.valueOf(e.getMessage()).lines()).hasSize(1));
    }

    private static String render(String template, List<Map<String, Object>> chat) {
        return new ChatTemplate(template, SPECIAL).render(chat);
    }

    private static Map<String, Object> message(String role, String content) {
        return Map.of("role", role, "content", content);
    }
}
