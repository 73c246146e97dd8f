/* What glibc would do by far more code than a static program needs; `.ci/dist-linker` links these in the place of its own.
 *
 * - A main thread's stack is found by reading one form of line from /proc/self/maps: sscanf would bring every conversion there is, with floating point
 *   of four widths (100 kB).
 * - Nothing is opened at run time. Modules for names of hosts belong to the glibc of the machine, not to ours, and are known to crash static programs;
 *   files and DNS are built in. And a static program has no table that dlsym could look into: the standard library hears the same as ever (50 kB).
 * - Messages stay in English, as `setlocale` is never called, and are written to a stream of bytes (25 kB).
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int __isoc99_sscanf(const char *line, const char *form, ...)
{
    va_list into;
    char *rest;
    int count = 0;
    if (strcmp(form, "%lx-%lx") != 0)
        abort(); /* somebody new reads by it: this file is out of date */
    va_start(into, form);
    *va_arg(into, unsigned long *) = strtoul(line, &rest, 16);
    if (rest != line) {
        count = 1;
        if (*rest == '-') {
            line = rest + 1;
            *va_arg(into, unsigned long *) = strtoul(line, &rest, 16);
            count += rest != line;
        }
    }
    va_end(into);
    return count;
}

void *dlsym(void *handle, const char *name)
{
    (void)handle, (void)name;
    return NULL;
}

void *__libc_dlopen_mode(const char *name, int mode)
{
    (void)name, (void)mode;
    return NULL;
}

void *__libc_dlsym(void *handle, const char *name)
{
    (void)handle, (void)name;
    return NULL;
}

void *__libc_dlvsym(void *handle, const char *name, const char *version)
{
    (void)handle, (void)name, (void)version;
    return NULL;
}

int __libc_dlclose(void *handle)
{
    (void)handle;
    return 0;
}

char *__dcgettext(const char *domain, const char *message, int category)
{
    (void)domain, (void)category;
    return (char *)message;
}

static int print(FILE *stream, const char *form, va_list values)
{
    int count = vfprintf(stream ? stream : stderr, form, values);
    va_end(values);
    return count;
}

int __fxprintf(FILE *stream, const char *form, ...)
{
    va_list values;
    va_start(values, form);
    return print(stream, form, values);
}

int __fxprintf_nocancel(FILE *stream, const char *form, ...)
{
    va_list values;
    va_start(values, form);
    return print(stream, form, values);
}
