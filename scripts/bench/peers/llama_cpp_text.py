"""Times llama.cpp on a GGUF file: prefill and decode, and prints the seconds as JSON.

    python llama_cpp_text.py FILE --prompt 600 --tokens 64

Token ids go in and come out by the library's own greedy sampler. `text.ts` does the same with ours.
"""

import argparse
import ctypes
import json
import os
import statistics
import time

import llama_cpp
import numpy as np

from memory import peak_bytes


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--prompt", type=int, default=600)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    return parser.parse_args()


@llama_cpp.llama_log_callback
def say_nothing(_level, _text, _data):
    """The library explains itself on stderr at length."""


def load(path, threads, positions):
    """Model and context, with the whole prompt as one batch, which is the fastest way it has."""
    llama_cpp.llama_log_set(say_nothing, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    model = llama_cpp.llama_model_load_from_file(os.fsencode(path), llama_cpp.llama_model_default_params())
    settings = llama_cpp.llama_context_default_params()
    settings.n_ctx = positions
    settings.n_batch = settings.n_ubatch = positions
    settings.n_threads = settings.n_threads_batch = threads
    return model, llama_cpp.llama_init_from_model(model, settings)


def decode(context, ids):
    """Appends tokens; the last one's logits are what the sampler sees."""
    array = (llama_cpp.llama_token * len(ids))(*ids)
    if llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(array, len(ids))) != 0:
        raise RuntimeError("llama_decode failed")


def answer(context, sampler, prompt, tokens):
    """Seconds to the first token, and for all others."""
    llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), True)
    begin = time.perf_counter()
    decode(context, prompt)
    token = llama_cpp.llama_sampler_sample(sampler, context, -1)
    first = time.perf_counter()
    for _ in range(tokens - 1):
        decode(context, [token])
        token = llama_cpp.llama_sampler_sample(sampler, context, -1)
    return {"prefill": first - begin, "decode": time.perf_counter() - first}


def main():
    options = arguments()
    model, context = load(options.file, options.threads, options.prompt + options.tokens)
    vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
    sampler = llama_cpp.llama_sampler_init_greedy()
    prompt = np.random.default_rng(1).integers(0, vocabulary, options.prompt).tolist()
    answer(context, sampler, prompt[:8], 2)
    runs = [answer(context, sampler, prompt, options.tokens) for _ in range(options.repeats)]
    times = {part: statistics.median(run[part] for run in runs) for part in runs[0]}
    print(json.dumps({**times, "peakBytes": peak_bytes()}))


main()
