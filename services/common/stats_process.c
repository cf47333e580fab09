/* What Prometheus wants to know of every process: memory, CPU, open files, start, version. */
#include "stats.h"

#include <dirent.h>
#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "log.h"
#include "trace.h"

struct process {
	uint64_t resident_bytes;
	uint64_t virtual_bytes;
	uint64_t cpu_us;
	uint64_t open_files;
	uint64_t max_files;
	uint64_t start_s;
};

/* The two numbers of /proc that count from boot: when we started, and when that was. */
static uint64_t
start_seconds(void)
{
	unsigned long long ticks = 0, boot_s = 0;
	char line[1024];

	FILE *f = fopen("/proc/self/stat", "re");
	if (f != NULL) {
		/* The second field is the name in brackets and may hold anything. */
		const char *rest = fgets(line, sizeof(line), f) == NULL ? NULL : strrchr(line, ')');
		if (rest != NULL)
			(void)sscanf(rest,
			    ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d"
			    " %*d %*d %*d %*d %*d %llu",
			    &ticks);
		fclose(f);
	}
	f = fopen("/proc/stat", "re");
	if (f != NULL) {
		while (boot_s == 0 && fgets(line, sizeof(line), f) != NULL)
			(void)sscanf(line, "btime %llu", &boot_s);
		fclose(f);
	}
	return boot_s + ticks / (unsigned long long)sysconf(_SC_CLK_TCK);
}

static uint64_t
count_open_files(void)
{
	uint64_t count = 0;
	DIR *dir = opendir("/proc/self/fd");

	if (dir == NULL)
		return 0;
	for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
		if (entry->d_name[0] != '.')
			count++;
	closedir(dir);
	return count - 1; /* the directory itself */
}

static void
read_process(struct process *p)
{
	unsigned long long virtual_pages = 0, resident_pages = 0;
	struct rusage usage;
	struct rlimit files = { 0 };
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	FILE *f = fopen("/proc/self/statm", "re");
	if (f != NULL) {
		if (fscanf(f, "%llu %llu", &virtual_pages, &resident_pages) != 2)
			virtual_pages = resident_pages = 0;
		fclose(f);
	}
	getrusage(RUSAGE_SELF, &usage);
	getrlimit(RLIMIT_NOFILE, &files);
	p->virtual_bytes = virtual_pages * page;
	p->resident_bytes = resident_pages * page;
	p->cpu_us = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000
		    + (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	p->open_files = count_open_files();
	p->max_files = files.rlim_cur;
	p->start_s = start_seconds();
}

static bool
write_one(
    struct evbuffer *out, const char *name, const char *type, const char *help, const char *value)
{
	return evbuffer_add_printf(
		   out, "# HELP %s %s\n# TYPE %s %s\n%s %s\n", name, help, name, type, name, value)
	       != -1;
}

static bool
write_number(
    struct evbuffer *out, const char *name, const char *type, const char *help, uint64_t number)
{
	char value[32];

	snprintf(value, sizeof(value), "%" PRIu64, number);
	return write_one(out, name, type, help, value);
}

bool
stats_write_process(const char *service, struct evbuffer *out)
{
	struct process p;
	char cpu_s[48];

	read_process(&p);
	snprintf(
	    cpu_s, sizeof(cpu_s), "%" PRIu64 ".%06" PRIu64, p.cpu_us / 1000000, p.cpu_us % 1000000);
	return evbuffer_add_printf(out,
		   "# HELP turunc_build_info What is running\n# TYPE turunc_build_info gauge\n"
		   "turunc_build_info{service=\"%s\",version=\"%s\"} 1\n",
		   service, TURUNC_VERSION)
		   != -1
	       && write_one(out, "process_cpu_seconds_total", "counter", "CPU time used", cpu_s)
	       && write_number(
		   out, "process_resident_memory_bytes", "gauge", "Memory in use", p.resident_bytes)
	       && write_number(out, "process_virtual_memory_bytes", "gauge", "Address space in use",
		   p.virtual_bytes)
	       && write_number(out, "process_open_fds", "gauge", "Open files", p.open_files)
	       && write_number(out, "process_max_fds", "gauge", "Open files allowed", p.max_files)
	       && write_number(out, "process_start_time_seconds", "gauge",
		   "Start of the process since 1970", p.start_s)
	       && write_number(out, "turunc_log_lines_dropped_total", "counter",
		   "Lines nobody was there to read", log_dropped())
	       && write_number(out, "turunc_log_traces_left_out_total", "counter",
		   "Stages of traced records not logged, for there were too many in their second",
		   trace_lines_left_out());
}
