#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows tools/tidy small bad trees, each of which it must catch at the right
line, and their good neighbours, which it must leave alone."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

TIDY = os.path.join(os.path.dirname(os.path.realpath(__file__)),
                    "..", "..", "tools", "tidy")
C_LINE = "/* SPDX-License-Identifier: Apache-2.0 */\n"
SCRIPT_LINE = "# SPDX-License-Identifier: Apache-2.0\n"
HEADER = C_LINE + "#pragma once\n/*\n * A thing.\n *\n * Thread:  any.\n */\n"
CAUGHT = set()  # rules that some test has seen at work


def function(lines, name="long_one"):
    """A function of exactly that many lines, head and braces counted."""
    return f"void {name}(void)\n{{\n" + "\t;\n" * (lines - 3) + "}\n"


class TidyCase(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="braid-tidy-")
        self.addCleanup(shutil.rmtree, self.root)

    def tidy(self, files, *options):
        for path, text in files.items():
            full = os.path.join(self.root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(text)
        return subprocess.run(
            [sys.executable, TIDY, "--root", self.root, *options],
            capture_output=True, text=True)

    def assert_caught(self, files, where, rule, contains=""):
        """Exactly one finding: this one."""
        done = self.tidy(files)
        lines = done.stdout.splitlines()
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual(len(lines), 1, done.stdout)
        self.assertTrue(lines[0].startswith(f"{where}: {rule}: "), lines[0])
        self.assertIn(contains, lines[0])
        CAUGHT.add(rule)

    def assert_clean(self, files):
        done = self.tidy(files)
        self.assertEqual((done.returncode, done.stdout), (0, ""))


class Layers(TidyCase):
    low = {"base/low.h": HEADER, "io/net.h": HEADER, "conf/tree.h": HEADER,
           "fleet/pool.h": HEADER, "lb/flow.h": HEADER}

    def test_upward_include(self):
        self.assert_caught(
            {**self.low, "base/x.c": C_LINE + '#include "lb/flow.h"\n'},
            "base/x.c:2", "layers", "(layer 4)")

    def test_sideways_include(self):
        self.assert_caught(
            {**self.low, "io/x.c": C_LINE + '#include "conf/tree.h"\n'},
            "io/x.c:2", "layers", "(layer 1)")

    def test_tools_include_fleet(self):
        self.assert_caught(
            {**self.low, "tools/x.c": C_LINE + '#include "fleet/pool.h"\n'},
            "tools/x.c:2", "layers", "tools may include")

    def test_include_not_from_the_root(self):
        self.assert_caught(
            {**self.low, "base/x.c": C_LINE + '#include "low.h"\n'},
            "base/x.c:2", "layers", "from the root")

    def test_include_by_dots(self):
        self.assert_caught(
            {**self.low, "io/x.c": C_LINE + '#include "../base/low.h"\n'},
            "io/x.c:2", "layers", "from the root")

    def test_our_header_in_angle_brackets(self):
        self.assert_caught(
            {**self.low, "io/x.c": C_LINE + "#include <base/low.h>\n"},
            "io/x.c:2", "layers", "in quotes")

    def test_unknown_folder(self):
        self.assert_caught({"misc/x.c": C_LINE}, "misc/x.c:1", "layers",
                           "in no layer")

    def test_target_in_no_layer(self):
        self.assert_caught(
            {**self.low, "lb/x.c": C_LINE + '#include "tests/fake.h"\n',
             "tests/fake.h": HEADER}, "lb/x.c:2", "layers", "in no layer")

    def test_downward_and_own_are_right(self):
        self.assert_clean({
            **self.low,
            "lb/x.c": C_LINE + '#include "lb/flow.h"\n'
            '#include "fleet/pool.h"\n#include "io/net.h"\n'
            "#include <stdio.h>\n",
            "tools/y.c": C_LINE + '#include "conf/tree.h"\n',
            "tests/z.c": C_LINE + '#include "lb/flow.h"\n'})

    def test_commented_include_does_not_count(self):
        self.assert_clean(
            {"base/x.c": C_LINE + '/*\n#include "lb/flow.h"\n*/\n'})


class Stems(TidyCase):
    def test_same_stem_twice(self):
        self.assert_caught(
            {"base/queue.c": C_LINE, "lb/queue.c": C_LINE},
            "lb/queue.c:1", "stems", "taken by base/queue.c")

    def test_pair_in_one_folder_is_right(self):
        self.assert_clean({
            "base/queue.h": HEADER,
            "base/queue.c": C_LINE + '#include "base/queue.h"\n'})


class Sizes(TidyCase):
    def test_long_file(self):
        self.assert_caught({"base/x.c": C_LINE + "int x;\n" * 800},
                           "base/x.c:801", "sizes", "801 lines")

    def test_file_at_the_limit(self):
        self.assert_clean({"base/x.c": C_LINE + "int x;\n" * 799})

    def test_model_of_the_trainer(self):
        made = C_LINE + "/* Made by braid-train; do not edit. */\n"
        self.assert_clean({"base/x.c": made + function(900)})

    def test_long_function(self):
        self.assert_caught({"base/x.c": C_LINE + "\n" + function(121)},
                           "base/x.c:3", "sizes", "long_one has 121 lines")

    def test_function_at_the_limit(self):
        self.assert_clean({"base/x.c": C_LINE + function(120)})

    def test_long_function_behind_other_braces(self):
        text = (C_LINE + "#define LIST(X) \\\n\tX({)\n"
                "struct a {\n\tint b;\n} __attribute__((aligned(64)));\n"
                "static const struct a c[] = {\n\t{.b = '{'},\n};\n"
                'static const char *d(int e)\n{\n\treturn "}";\n}\n')
        self.assert_caught({"base/x.c": text + function(121)},
                           f"base/x.c:{text.count(chr(10)) + 1}", "sizes")

    def test_long_table_is_no_function(self):
        self.assert_clean({"base/x.c": C_LINE + "int x[] = {\n"
                           + "\t1,\n" * 200 + "};\n"})

    def test_warning_only_when_verbose(self):
        files = {"base/x.c": C_LINE + function(71)}
        self.assert_clean(files)
        done = self.tidy(files, "--verbose")
        self.assertEqual(done.returncode, 0)
        self.assertIn("base/x.c:2: warning: long_one has 71", done.stdout)


class Calls(TidyCase):
    def test_every_banned_call(self):
        for name in ("strcpy", "strcat", "sprintf", "vsprintf", "gets",
                     "strtok", "alloca", "rand", "system", "popen"):
            with self.subTest(name):
                self.assert_caught(
                    {"base/x.c": C_LINE + f"int x(void)\n{{\n\t{name} (a);"
                     "\n}\n"}, "base/x.c:4", "banned", f" {name} ")

    def test_banned_in_tests_too(self):
        self.assert_caught({"tests/x.c": C_LINE + "int x = rand();\n"},
                           "tests/x.c:2", "banned")

    def test_banned_in_a_macro(self):
        self.assert_caught(
            {"base/x.c": C_LINE + "#define X(a) \\\n\tstrcpy(a, b)\n"},
            "base/x.c:3", "banned")

    def test_names_that_only_look_like_it(self):
        self.assert_clean({"base/x.c": C_LINE + "/* strcpy(a, b) */\n"
                           'char *s = "strcpy(a)";\n'
                           "int a = my_rand(), b = x->system(1), c = y.gets("
                           ");\n// popen(x)\nint d = snprintf(e);\n"})

    def test_memcpy_on_wire_data(self):
        for name in ("memcpy", "memmove"):
            with self.subTest(name):
                self.assert_caught(
                    {"probe/http_head.c": C_LINE + f"int x = {name}(a);\n"},
                    "probe/http_head.c:2", "wire", name)

    def test_memcpy_elsewhere(self):
        self.assert_clean({"base/x.c": C_LINE + "int x = memcpy(a);\n"})

    def test_allocation_in_the_data_path(self):
        for folder in ("io", "lb"):
            for name in ("malloc", "calloc", "realloc", "free", "strdup",
                         "posix_memalign"):
                with self.subTest(folder=folder, name=name):
                    self.assert_caught(
                        {f"{folder}/x.c": C_LINE + f"int x = {name}(a);\n"},
                        f"{folder}/x.c:2", "allocation", name)
                    os.remove(os.path.join(self.root, folder, "x.c"))

    def test_allocation_elsewhere_and_own_free(self):
        self.assert_clean({"base/x.c": C_LINE + "int x = malloc(a);\n",
                           "lb/y.c": C_LINE + "int y = slab_free(a, b);\n"})

    pair = ("void rr_init(void)\n{\n\tmalloc(1);\n}\n"
            "void rr_fini(void)\n{\n\tfree(1);\n}\n")

    def test_allocation_with_a_reason(self):
        self.assert_clean({"lb/balance_rr.c": C_LINE + self.pair})

    def test_reason_holds_for_the_named_functions_only(self):
        self.assert_caught(
            {"lb/balance_rr.c": C_LINE + self.pair
             + "void rr_pick(void)\n{\n\tmalloc(1);\n}\n"},
            "lb/balance_rr.c:12", "allocation", "malloc")

    def test_reason_no_longer_needed(self):
        self.assert_caught(
            {"lb/balance_rr.c": C_LINE + self.pair.replace("free(1)", "")},
            "lb/balance_rr.c:1", "allocation", "rr_fini allocates no")


class FirstLines(TidyCase):
    def test_c_without_licence(self):
        self.assert_caught({"base/x.c": "int x;\n"}, "base/x.c:1", "spdx")

    def test_licence_not_first(self):
        self.assert_caught({"base/x.c": "\n" + C_LINE}, "base/x.c:1", "spdx")

    def test_script_without_licence(self):
        self.assert_caught({"tools/x.py": "#!/usr/bin/python3\nx = 1\n"},
                           "tools/x.py:2", "spdx")

    def test_shell_without_suffix(self):
        self.assert_caught({"start": "#!/bin/sh\ntrue\n"}, "start:2", "spdx")

    def test_cmake_without_licence(self):
        self.assert_caught({"base/CMakeLists.txt": "project(x)\n"},
                           "base/CMakeLists.txt:1", "spdx")

    def test_right_ones(self):
        self.assert_clean({"start": "#!/bin/sh\n" + SCRIPT_LINE,
                           "tools/x.py": SCRIPT_LINE, "data": "x\n"})

    def test_no_pragma_once(self):
        self.assert_caught(
            {"base/x.h": HEADER.replace("#pragma once", "#define X")},
            "base/x.h:2", "header", "pragma once")

    def test_header_without_thread(self):
        self.assert_caught(
            {"base/x.h": HEADER.replace("Thread:", "Memory:")},
            "base/x.h:3", "header", "Thread:")

    def test_thread_in_a_later_comment_only(self):
        self.assert_caught(
            {"base/x.h": HEADER.replace("Thread:", "Memory:")
             + "/* Thread: any. */\n"}, "base/x.h:3", "header")

    def test_own_header_not_first(self):
        self.assert_caught(
            {"base/x.h": HEADER, "base/x.c": C_LINE
             + '#include <stdio.h>\n#include "base/x.h"\n'},
            "base/x.c:2", "include-order", '"base/x.h"')

    def test_own_header_not_included(self):
        self.assert_caught({"base/x.h": HEADER, "base/x.c": C_LINE},
                           "base/x.c:1", "include-order")


class Texts(TidyCase):
    def test_left_to_do_without_number(self):
        for word in ("TO" "DO", "FIX" "ME", "XX" "X"):
            with self.subTest(word):
                self.assert_caught(
                    {"base/x.c": C_LINE + f"\n/* {word}: later */\n"},
                    "base/x.c:3", "todo", word)

    def test_left_to_do_in_a_script(self):
        self.assert_caught({"x.sh": SCRIPT_LINE + "# TO" "DO later\n"},
                           "x.sh:2", "todo")

    def test_left_to_do_with_number(self):
        self.assert_clean({"base/x.c": C_LINE + "/* TO" "DO(#12): a */\n"
                           "/* FIX" "ME #3: b */\n"})

    def test_blanks_at_the_end(self):
        for path, text in (("base/x.c", C_LINE + "int x; \n"),
                           ("docs/x.md", "a\nb\t\n"),
                           ("x.sh", SCRIPT_LINE + "true \n")):
            with self.subTest(path):
                self.assert_caught({path: text}, f"{path}:2", "whitespace")
                os.remove(os.path.join(self.root, path))

    def test_no_newline_at_the_end(self):
        self.assert_caught({"base/x.c": C_LINE + "int x;"},
                           "base/x.c:2", "whitespace", "no newline")

    def test_metric_without_help(self):
        rows = '\tX(turns, "Loop (turns)") \\\n\tX(drops, "") \\\n'
        self.assert_caught(
            {"base/x.c": C_LINE + "#define A_METRIC_LIST(X) \\\n" + rows
             + '\tX(ends, "Ends")\n'},
            "base/x.c:4", "metric-help", "drops")

    def test_metric_without_any_text(self):
        self.assert_caught(
            {"base/x.c": C_LINE + "#define A_METRIC_LIST(M) M(x, sizeof(y))"
             "\n"}, "base/x.c:2", "metric-help", "A_METRIC_LIST")

    def test_metric_with_help_in_two_literals(self):
        self.assert_clean(
            {"base/x.c": C_LINE + '#define A_METRIC_LIST(X) \\\n'
             '\tX(a, "" \\\n\t  "b")\n#define OTHER(X) X(a, "")\n'})


class Folders(TidyCase):
    added = {"CMakeLists.txt": SCRIPT_LINE + "\nadd_subdirectory(base)\n"}

    def test_no_readme(self):
        self.assert_caught(self.added, "CMakeLists.txt:3", "readmes",
                           "base/README.md is missing")

    def test_readme_too_long(self):
        self.assert_caught({**self.added, "base/README.md": "a\n" * 81},
                           "base/README.md:81", "readmes", "80 lines")

    def test_readme_of_one_screen(self):
        self.assert_clean({**self.added, "base/README.md": "a\n" * 80})

    def test_build_and_generated_folders_are_left_alone(self):
        self.assert_clean({"x.sh": SCRIPT_LINE, "build/x.c": "int x; \n",
                           "build-tsan/y.c": "bad", "docs/generated/z.md":
                           "blank \n"})


class SelfContained(TidyCase):
    def test_header_that_needs_another(self):
        done = self.tidy({"base/x.h": HEADER + "size_t x_size(void);\n"})
        lines = done.stdout.splitlines()
        self.assertEqual(done.returncode, 1)
        compilers = [c for c in ("gcc", "clang") if shutil.which(c)]
        self.assertEqual(len(lines), len(compilers), done.stdout)
        for line, compiler in zip(sorted(lines), sorted(compilers)):
            self.assertTrue(line.startswith(
                "base/x.h:8: self-contained: "), line)
            self.assertIn("does not compile alone with", line)
            self.assertIn("size_t", line)
        CAUGHT.add("self-contained")

    def test_header_that_includes_its_needs(self):
        self.assert_clean({
            "base/y.h": HEADER + "struct y {\n\tint a;\n};\n",
            "base/x.h": HEADER + '#include <stddef.h>\n#include "base/y.h"\n'
            "size_t x_size(struct y y);\n"})


class Format(TidyCase):
    style = {".clang-format": "BasedOnStyle: LLVM\n"}

    def test_badly_formatted(self):
        done = self.tidy({**self.style, "base/x.c": C_LINE + "int   x ;\n"},
                         "--format")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertTrue(done.stdout.startswith("base/x.c:2: format: "),
                        done.stdout)

    def test_well_formatted(self):
        done = self.tidy({**self.style, "base/x.c": C_LINE + "int x;\n"},
                         "--format")
        self.assertEqual((done.returncode, done.stdout), (0, ""))


class Program(TidyCase):
    def test_nothing_to_check_is_no_success(self):
        self.assertEqual(self.tidy({}).returncode, 2)

    def test_git_tree_without_ignored_files(self):
        if not shutil.which("git"):
            self.skipTest("git is not installed")
        subprocess.run(["git", "init", "-q", self.root], check=True)
        done = self.tidy({".gitignore": "scratch/\n", "x.sh": "bad\n",
                          "scratch/y.sh": "bad\n"})
        self.assertEqual(len(done.stdout.splitlines()), 1, done.stdout)
        self.assertIn("x.sh:1: spdx", done.stdout)


class ZEveryRule(TidyCase):
    """Runs last: unittest takes classes in order of their names."""

    def test_each_rule_was_seen_at_work(self):
        listed = self.tidy({}, "--rules").stdout
        rules = set(re.findall(r"^(\S+)", listed, re.M))
        self.assertTrue(rules)
        self.assertEqual(rules - CAUGHT, set())


if __name__ == "__main__":
    unittest.main()
