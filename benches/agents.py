"""LangGraph on the same graphs: chain and fan of nodes that do nothing, without and with a durable checkpoint (SQLite, durability="sync")."""

import os
import statistics
import sys
import tempfile
import time
from typing import Annotated, TypedDict
import operator

from langgraph.graph import START, StateGraph
from langgraph.checkpoint.sqlite import SqliteSaver


class State(TypedDict):
    done: Annotated[list, operator.add]


def build(shape, count, saver=None):
    graph = StateGraph(State)
    for at in range(count):
        graph.add_node(f"n{at}", lambda state, at=at: {"done": [at]})
    graph.add_edge(START, "n0")
    for at in range(1, count):
        graph.add_edge(f"n{at - 1}" if shape == "chain" else "n0", f"n{at}")
    return graph.compile(checkpointer=saver)


def run(shape, count, durable, rounds=5):
    took = []
    for number in range(rounds):
        with tempfile.TemporaryDirectory(dir=os.getcwd()) as folder:
            config = {"configurable": {"thread_id": str(number)}, "recursion_limit": count + 10}
            if durable:
                with SqliteSaver.from_conn_string(os.path.join(folder, "state.db")) as saver:
                    app = build(shape, count, saver)
                    start = time.perf_counter()
                    found = app.invoke({"done": []}, config, durability="sync")
                    took.append(time.perf_counter() - start)
            else:
                app = build(shape, count)
                start = time.perf_counter()
                found = app.invoke({"done": []}, config)
                took.append(time.perf_counter() - start)
            assert len(found["done"]) == count
    took = statistics.median(took)
    print(f"LangGraph, {shape}, {'durable' if durable else 'memory'}: {count} in {took * 1000:.1f} ms, {count / took:.0f}/s", flush=True)


if __name__ == "__main__":
    from importlib.metadata import version

    print("langgraph", version("langgraph"), "python", sys.version.split()[0])
    run("chain", 200, False)
    run("fan", 200, False)
    run("chain", 200, True)
    run("fan", 200, True)
