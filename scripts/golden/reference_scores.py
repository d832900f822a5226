"""Scores of answers beside references by trusted software, that ours are held against. Writes test/golden/reference-scores.json.

    python -m venv .venv && .venv/bin/pip install sacrebleu rouge-score "transformers<5" && .venv/bin/python scripts/golden/reference_scores.py
"""

import importlib.metadata
import json
import pathlib
import random
import re
import sys
import unicodedata

import sacrebleu
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import Tokenizer
from sacrebleu.metrics import BLEU, CHRF
from transformers.data.metrics.squad_metrics import compute_exact, compute_f1

SEED = 20261127
draw = random.Random(SEED)

PAIRS = [
    ["The Eiffel Tower.", "Eiffel tower"],
    ["in the year 1969", "1969"],
    ["It costs $3.50, no?", "It costs 3.50 dollars, or more."],
    ["Yes", "yes"],
    ["", "an answer"],
    ["an answer", ""],
    ["", ""],
    ["...", "!!!"],
    ["...", "words"],
    ["the", "a"],
    ["the the the the", "the cat sat on the mat"],
    ["a", "b"],
    ["one two", "one two three four five six seven eight"],
    ["Don't re-use e-mail; it's 3,000.5 km-long (about).", "Do not reuse email: it is 3000.5 km long, about."],
    ["5-6 of &quot;them&quot; &amp; &lt;others&gt; &amp;lt;", '5 - 6 of "them" & <others> <'],
    ["line one\nline two-\nthree\tfour  five ", "line one line twothree four five"],
    ["<skipped> words", "words"],
    ["Größe über Ærø, naïve café", "Grösse uber Aero; naive cafe, café"],
    ["Привет, мир! Как дела?", "Привет мир. Как твои дела?"],
    ["مرحبا بالعالم، كيف حالك", "مرحبا يا عالم كيف حالك"],
    ["שלום עולם", "שלום לכל העולם"],
    ["हिन्दी भाषा में लिखा", "हिन्दी में लिखा हुआ"],
    ["👍🏽 great 👩‍👩‍👧 job", "👍 great job 👩‍👩‍👧"],
    ["snake_case the_end a_b", "snake case the end"],
    ["x" * 300, "x" * 299 + "y"],
    ["word " * 200, "word other " * 100],
]
WORDS = "the a an cat Cat dog sat on mat, mat. ran 3.5 7-8 (and) don't quickly! said: he she it New York's".split()


def near(words):
    """A text and one that differs by words left out, put in and exchanged."""
    other = [draw.choice(WORDS) if draw.random() < 0.2 else word for word in words if draw.random() > 0.15]
    return [" ".join(other), " ".join(words)]


PAIRS += [near([draw.choice(WORDS) for _ in range(draw.randint(1, 40))]) for _ in range(40)]

CHINESE = [
    ["今天天气很好，我们去公园。", "今天的天气不错，我们一起去公园吧。"],
    ["他有3.5公斤的 apples。", "他有 3.5 公斤苹果。"],
    ["你好！", "您好！"],
]


class AnyScript(Tokenizer):
    """The package's own tokenizer with letters, digits and marks of any script."""

    def tokenize(self, text):
        kept = "".join(c if unicodedata.category(c)[0] in "LNM" else " " for c in text.lower())
        return re.sub(r"([\u3400-\u9fff])", r" \1 ", kept).split()


def scores(pair, tokenize, rouge):
    answer, reference = pair
    return {
        "answer": answer,
        "reference": reference,
        "bleu": BLEU(tokenize=tokenize, effective_order=True).sentence_score(answer, [reference]).score / 100,
        "chrf": CHRF().sentence_score(answer, [reference]).score / 100,
        "rouge_l": rouge.score(reference, answer)["rougeL"].fmeasure,
    }


def corpus(pairs, tokenize):
    answers, references = [a for a, _ in pairs], [[r for _, r in pairs]]
    return {
        "bleu": BLEU(tokenize=tokenize).corpus_score(answers, references).score / 100,
        "chrf": CHRF().corpus_score(answers, references).score / 100,
    }


of_ascii, of_any = RougeScorer(["rougeL"]), RougeScorer(["rougeL"], tokenizer=AnyScript())
for pair in PAIRS:
    for text in pair:
        assert unicodedata.is_normalized("NFC", text), text
one_by_one = []
for answer, reference in PAIRS:
    is_ascii = (answer + reference).isascii()
    found = scores([answer, reference], "13a", of_ascii if is_ascii else of_any)
    if is_ascii:  # Beyond ASCII we remove punctuation that the script keeps.
        found |= {"exact_match": compute_exact(reference, answer), "token_f1": compute_f1(reference, answer)}
    one_by_one.append(found)

golden = {
    "made_by": {
        "python": sys.version.split()[0],
        "sacrebleu": sacrebleu.__version__,
        "rouge-score": importlib.metadata.version("rouge-score"),
        "transformers": importlib.metadata.version("transformers"),
        "seed": SEED,
    },
    "pairs": one_by_one,
    "chinese": [scores(pair, "zh", of_any) for pair in CHINESE],
    "corpus": corpus(PAIRS, "13a"),
    "corpus_chinese": corpus(CHINESE, "zh"),
    "corpus_short": corpus([["a b", "a b"], ["c", "c d"]], "13a"),
}
path = pathlib.Path(__file__).parent.parent.parent / "test" / "golden" / "reference-scores.json"
path.write_text(json.dumps(golden, ensure_ascii=False, indent=2) + "\n")
print(golden["made_by"])
