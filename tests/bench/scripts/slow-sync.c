// slow-sync MILLISECONDS COMMAND [ARGUMENT...]
//
// Runs a command whose every fsync and fdatasync takes so much longer, and those of its children: a slow disk, for programs that call the
// kernel without libc (Go) as well as for those that do not. seccomp hands the calls to this process (seccomp_unotify(2)), which lets each go on
// when its time has come. No other call is touched or slowed; syncs of several threads wait side by side.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) // Linux 5.19: a signal does not begin the wait anew
#endif

enum { MOST = 65536 };
static struct { uint64_t id; struct timespec due; } waiting[MOST];
static unsigned head, tail;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t came = PTHREAD_COND_INITIALIZER;
static int listener;
static pid_t child;

static void fail(const char *what) { fprintf(stderr, "slow-sync: %s: %s\n", what, strerror(errno)); exit(126); }

static void forward(int signal) { if (child > 0) kill(child, signal); }

static int filter(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_fsync, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_fdatasync, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof code / sizeof *code, code };
    unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    int fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    if (fd < 0 && errno == EACCES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) // who is not root
        fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    return fd;
}

static void pass(int over, int fd)
{
    char byte = 0, room[CMSG_SPACE(sizeof fd)] = { 0 };
    struct iovec one = { &byte, 1 };
    struct msghdr message = { .msg_iov = &one, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET, header->cmsg_type = SCM_RIGHTS, header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    if (sendmsg(over, &message, 0) != 1)
        fail("sendmsg");
}

static int take(int over)
{
    int fd = -1;
    char byte, room[CMSG_SPACE(sizeof fd)];
    struct iovec one = { &byte, 1 };
    struct msghdr message = { .msg_iov = &one, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room };
    if (recvmsg(over, &message, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&message))
        exit(126); // the child has said why
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

static void *release(void *unused)
{
    for (;;) {
        pthread_mutex_lock(&guard);
        while (head == tail)
            pthread_cond_wait(&came, &guard);
        uint64_t id = waiting[tail % MOST].id;
        struct timespec due = waiting[tail++ % MOST].due;
        pthread_mutex_unlock(&guard);
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
            ;
        struct seccomp_notif_resp answer = { .id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer); // who was killed meanwhile waits for none
    }
    return unused;
}

int main(int count, char **words)
{
    char *end;
    double milliseconds = count > 2 ? strtod(words[1], &end) : -1;
    if (milliseconds < 0 || *end) {
        fprintf(stderr, "usage: slow-sync MILLISECONDS COMMAND [ARGUMENT...]\n");
        return 125;
    }
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        fail("socketpair");
    if ((child = fork()) < 0)
        fail("fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM); // without this process its syncs would wait forever
        int fd = filter();
        if (fd < 0)
            fail("seccomp");
        pass(pair[1], fd);
        close(fd);
        execvp(words[2], words + 2);
        fail(words[2]);
    }
    close(pair[1]);
    signal(SIGTERM, forward);
    signal(SIGINT, forward);
    listener = take(pair[0]);
    pthread_t releaser;
    if (pthread_create(&releaser, NULL, release, NULL))
        fail("pthread_create");
    struct pollfd poller = { .fd = listener, .events = POLLIN };
    for (;;) {
        if (poll(&poller, 1, -1) < 0 && errno != EINTR)
            fail("poll");
        if (poller.revents & POLLHUP)
            break; // nobody is left who could sync
        if (!(poller.revents & POLLIN))
            continue;
        struct seccomp_notif call;
        memset(&call, 0, sizeof call);
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call))
            continue; // it was killed meanwhile
        struct timespec due;
        clock_gettime(CLOCK_MONOTONIC, &due);
        due.tv_nsec += (long)(milliseconds * 1e6) % 1000000000L;
        due.tv_sec += (time_t)(milliseconds / 1e3) + due.tv_nsec / 1000000000L;
        due.tv_nsec %= 1000000000L;
        pthread_mutex_lock(&guard);
        waiting[head % MOST].id = call.id;
        waiting[head++ % MOST].due = due;
        pthread_cond_signal(&came);
        pthread_mutex_unlock(&guard);
    }
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
