"""Strings of many scripts for the tokenizers, all from characters that Unicode 14 knows."""

import random

BY_HAND = [
    "",
    " ",
    "\n",
    "\t",
    "A chat between a curious user and an artificial intelligence assistant.",
    "USER: ",
    "\nWhat happens in the video? ASSISTANT:",
    " leading and trailing ",
    "I don't, you'RE, he'LL, she'D, we'Ve, I'm, it'S 'tis rock'n'roll ''double''",
    "‘curly’ don’t “quotes” … – — ‒ «guillemets»",
    "1234567890 3.14159 1,234,567 0x1F 1e-9 ½ ² Ⅷ ٣٤٥ ४५ 一二三",
    "a1b2c3 v2.5.1-rc3 foo_bar fooBar FOO-BAR foo.bar/baz?x=1&y=2#z",
    "line one\nline two\r\nline three\rline four\n\n\nline seven",
    "tabs\tone\t\ttwo\t\t\tthree \t mixed\t \tend",
    "a  b   c    d     e                               f",
    " " * 31 + "x" + " " * 32 + "y" + " " * 63 + "z" + " " * 2,
    "\t" * 9 + "x" + "\t" * 10 + "y" + "\t" * 2 + " " * 3,
    "    def f(x):\n        return x  # comment\n\n\tif x:\n\t\tpass",
    "if (a && b || !c) { return [1, 2, 3].map(x => x ** 2); } // ok",
    "<html><body class=\"x\">&amp; &lt;</body></html>",
    "Le cœur déçu mais l'âme plutôt naïve, Louÿs rêva de crapaüter en canoë.",
    "e\u0301te\u0301 nai\u0308ve A\u030angstro\u0308m n\u0303 \u1e9b\u0323 \u212b \u2126 ﬁ",
    "q\u0323\u0307 q\u0307\u0323 \u0041\u0301\u0328 \u0344 \u0958",
    "각 \u1100\u1161\u11a8 한국어 처리 안녕하세요",
    "日本語のテキスト、カタカナ、ひらがな。が ガ か\u3099 ｶﾞ",
    "中文文本处理：你好，世界！「引号」（括号）",
    "Съешь же ещё этих мягких французских булок, да выпей чаю. И\u0306",
    "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. ά \u03ac \u1f71",
    "שלום עולם, זה מבחן. \u202bRTL\u202c",
    "مرحبا بالعالم، هذا اختبار. لِلّٰهِ",
    "नमस्ते दुनिया क्षत्रिय हिन्दी",
    "สวัสดีชาวโลก ภาษาไทย",
    "Xin chào thế giới, tiếng Việt có dấu",
    "Dzień dobry, żółć; Příliš žluťoučký kůň; Türkçe İıĞğ; Íslenska þð",
    "გამარჯობა მსოფლიო Բարեւ աշխարհ ሰላም ልዑል",
    "🌟👩‍🚀👨‍👩‍👧‍👦🏳️‍🌈🇫🇷🇯🇵 👍🏽 ☕️ ❤️ ♥ 🫠",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟙𝟚𝟛 𐍈 𠜎𠜱 \U0001f9d1\u200d\U0001f4bb",
    "zero\u200bwidth non\u00a0breaking thin\u2009space ideographic\u3000space ogham\u1680space nnbsp\u202fx",
    "next\u0085line line\u2028sep para\u2029sep vertical\u000btab form\u000cfeed",
    "bom\ufeffinside mongolian\u180evowel soft\u00adhyphen word\u2060joiner",
    "control \u0000\u0001\u0002 bell\u0007 esc\u001b[0m del\u007f fs\u001cgs\u001drs\u001eus\u001fend",
    "private \ue000\uf8ff \U000f0000 replacement \ufffd noncharacter \ufdd0",
    "<|endoftext|>",
    "a<|endoftext|>b",
    " <|endoftext|> ",
    "  <|endoftext|>\n\n<|endoftext|><|endoftext|>",
    "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
    "<|im_start|><|im_end|><|vision_start|> x <|vision_end|>",
    "<tool_call>\n{\"name\": \"f\"}\n</tool_call>",
    "x <tool_call> y </tool_call>z<tool_call>",
    "<|endoftext|",
    "<|ENDOFTEXT|>",
    "<| endoftext |>",
    "<<|endoftext|>>",
    "<image>",
    "before <image> after",
    "n't . , ! ? 's 'm 've 're do not . It 's  ok , yes !",
    "Hello , world ! I ca n't . You 're right ? It 's mine . We 've won",
    "!!!???...,,,;;;:::---___***",
    "a.b,c;d:e!f?g(h)i[j]k{l}m",
    "ALL CAPS AND MiXeD CaSe",
    "supercalifragilisticexpialidocious pneumonoultramicroscopicsilicovolcanoconiosis",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "the the the the the the",
    "\n \n  \n\t\n",
    " \n",
    "\r\n\r\n",
    "x \n y  \n  z",
    "x\n\n y",
    "ſ K İ ŉ ǰ ΐ",  # case folding: long s, Kelvin sign, dotted I
    "itſ 'ſ don'T 'LL 'Ll",
]

PIECES = [
    "the", "video", " moves", "Circle", " ", "  ", "\n", "\t", " \n", "'s", "'LL", "n't", "!", "?", ".", " ,", "…", "1", "42", "٣", "½",
    "é", "e\u0301", "ö", "ñ", "красный", "红色", "円", "별", "שלום", "مرحبا", "नमस्ते", "ไทย", "🌟", "👩‍🚀", "👍🏽", "🇫🇷", "\u00a0", "\u3000",
    "\u200d", "\ufe0f", "<|endoftext|>", "<|im_end|>", "<tool_call>", "<image>", "<", "|", ">", "_", "-", "\u0085", "\u2028", "𝔘", "\u0308", "\\",
    "\"", "{}", "//", "\r\n", "         ", "\t\t\t",
]

COUNT = 300


def strings():
    """The strings by hand, then random joins of pieces, COUNT in all."""
    draw = random.Random(20240).choice
    lengths = random.Random(7)
    made = ["".join(draw(PIECES) for _ in range(lengths.randint(1, 12))) for _ in range(COUNT - len(BY_HAND))]
    return BY_HAND + made
